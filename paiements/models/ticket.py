"""Le ticket d'un paiement accepté, à envoyer quand l'allocataire a laissé un courriel (PARCOURS §7)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

# Assez pour corriger une adresse, trop peu pour importuner quelqu'un.
RENVOIS_AU_PLUS = 3


class Ticket(models.Model):
    """Le ticket d'un paiement accepté, à envoyer quand l'allocataire a laissé un courriel (PARCOURS §7)."""

    class Etat(models.TextChoices):
        A_ENVOYER = "A_ENVOYER", "à envoyer"
        ENVOYE = "ENVOYE", "envoyé"
        IMPOSSIBLE = "IMPOSSIBLE", "envoi impossible"

    paiement = models.OneToOneField("paiements.Paiement", models.PROTECT, related_name="ticket")
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.A_ENVOYER)
    essais = models.PositiveSmallIntegerField(default=0)
    prochain_essai_le = models.DateTimeField("prochain essai le", null=True, blank=True, default=timezone.now)
    envoye_le = models.DateTimeField("envoyé le", null=True, blank=True)
    renvois = models.PositiveSmallIntegerField("renvois demandés", default=0)
    dernier_motif = models.CharField("dernier échec", max_length=200, blank=True)

    class Meta:
        verbose_name = "ticket"
        indexes = [models.Index(name="tickets_a_envoyer", fields=["prochain_essai_le"], condition=Q(etat="A_ENVOYER"))]
        constraints = [
            models.CheckConstraint(
                name="ticket_envoye_a_une_date", condition=Q(etat="ENVOYE") ^ Q(envoye_le__isnull=True)
            ),
            models.CheckConstraint(
                name="ticket_renvoye_trois_fois_au_plus",
                condition=Q(renvois__lte=RENVOIS_AU_PLUS),
                violation_error_message="Un ticket se renvoie trois fois au plus.",
            ),
        ]

    def __str__(self) -> str:
        return f"ticket {self.paiement}"
