"""Ce que PayZen nous a dit, mot pour mot moins les données de carte et de personne."""

import pgtrigger
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from paiements.models.transaction import TransactionPayzen

# Ce que nous avons lu ; tout le reste nous a été envoyé. FICHIER : un fichier publié, après une restauration.
LUES = ("REST", "JT", "JRB", "FICHIER")


class MessagePayzenQuerySet(models.QuerySet["MessagePayzen"]):
    """Des messages."""

    def notifications(self) -> "MessagePayzenQuerySet":
        """Ce que PayZen nous a envoyé de lui-même."""
        return self.exclude(source__in=LUES)


class MessagePayzen(models.Model):
    """
    Un message authentique : notification, ou lecture qui a appris quelque chose. Ajout seul.

    Rien ne se décide d'après lui : il est la preuve de ce que `TransactionPayzen` retient.
    """

    class Sort(models.TextChoices):
        NEUF = "NEUF", "a appris quelque chose"
        DEJA_SU = "DEJA_SU", "déjà su"
        ECARTE = "ECARTE", "confié à un agent, sans rien changer"

    transaction = models.ForeignKey(TransactionPayzen, models.PROTECT, related_name="messages", null=True, blank=True)
    paiement = models.ForeignKey("paiements.Paiement", models.PROTECT, related_name="messages", null=True, blank=True)
    source = models.CharField(max_length=20, blank=True)
    operation = models.CharField("opération", max_length=20, blank=True)
    statut = models.CharField(max_length=40, blank=True)
    montant = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    champs = models.JSONField(encoder=DjangoJSONEncoder)
    sort = models.CharField(max_length=7, choices=Sort)
    motif = models.CharField(max_length=200, blank=True)
    recu_le = models.DateTimeField("reçu le", default=timezone.now)

    objects = MessagePayzenQuerySet.as_manager()

    class Meta:
        verbose_name = "message PayZen"
        verbose_name_plural = "messages PayZen"
        indexes = [models.Index(name="messages_recus", fields=["-recu_le"])]
        constraints = [
            models.CheckConstraint(
                name="message_sans_carte",
                condition=~Q(champs__has_any_keys=["vads_card_number", "vads_card_brand", "vads_auth_number"]),
            )
        ]
        triggers = [pgtrigger.Protect(name="message_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.operation} {self.statut} ({self.get_sort_display()})"
