"""Ce qu'un agent demande et qu'un autre accorde ou refuse."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from comptes.models import Utilisateur


class DemandeADeux(models.Model):
    """Une demande, puis sa décision, par deux personnes. `accord` est nul tant que nul n'a décidé."""

    motif = models.CharField(max_length=200)
    demandeur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+")
    demandee_le = models.DateTimeField("demandée le", default=timezone.now)
    approbateur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    decidee_le = models.DateTimeField("décidée le", null=True, blank=True)
    decision = models.CharField("motif de la décision", max_length=200, blank=True)
    accord = models.BooleanField(
        "décision", null=True, blank=True, choices=[(None, "à décider"), (True, "approuvée"), (False, "refusée")]
    )

    class Meta:
        abstract = True

    def noter_la_decision(self, *, accord: bool, agent: Utilisateur, motif: str) -> None:
        """Écrit qui décide, quoi et pourquoi ; la base refuse que ce soit qui a demandé."""
        self.accord, self.approbateur, self.decidee_le, self.decision = accord, agent, timezone.now(), motif
        self.save(update_fields=["accord", "approbateur", "decidee_le", "decision"])


def decidee_a_deux(nom: str) -> models.CheckConstraint:
    """La contrainte de chaque `DemandeADeux`, sous son nom dans la base."""
    a_decider = Q(accord=None, approbateur=None, decidee_le=None)
    decidee = Q(accord__isnull=False, decidee_le__isnull=False) & Q(approbateur__isnull=False)
    return models.CheckConstraint(
        name=nom,
        condition=a_decider | (decidee & ~Q(approbateur=F("demandeur"))),
        violation_error_message="Celui qui approuve n'est pas celui qui demande.",
    )
