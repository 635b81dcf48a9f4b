"""Mettre de côté une grosse somme : un agent demande, un comptable décide."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from comptes.models import Utilisateur
from paiements.models.anomalie import Anomalie


class DemandeMiseDeCote(models.Model):
    """
    Laisser de l'argent que la banque tient, sans le rendre ni l'imputer, au-dessus du seuil de la Caf : à deux.

    `situation` est l'état des comptes que l'agent avait sous les yeux : s'il change, il n'y a plus rien à approuver.
    """

    anomalie = models.ForeignKey(Anomalie, models.PROTECT, related_name="demandes")
    situation = models.CharField(max_length=200, blank=True)
    montant = models.DecimalField("argent en jeu", max_digits=10, decimal_places=2)
    motif = models.CharField(max_length=200)
    demandeur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="mises_de_cote_demandees")
    demandee_le = models.DateTimeField("demandée le", default=timezone.now)
    approbateur = models.ForeignKey(
        Utilisateur, models.PROTECT, related_name="mises_de_cote_decidees", null=True, blank=True
    )
    decidee_le = models.DateTimeField("décidée le", null=True, blank=True)
    decision = models.CharField("motif de la décision", max_length=200, blank=True)
    accord = models.BooleanField(null=True, blank=True)

    class Meta:
        verbose_name = "demande de mise de côté"
        verbose_name_plural = "demandes de mise de côté"
        constraints = [
            models.UniqueConstraint(
                name="une_mise_de_cote_a_decider_par_anomalie", fields=["anomalie"], condition=Q(accord=None)
            ),
            models.CheckConstraint(
                name="mise_de_cote_demandee_et_decidee_a_deux",
                condition=Q(accord=None, approbateur=None, decidee_le=None)
                | (
                    Q(accord__isnull=False, decidee_le__isnull=False)
                    & Q(approbateur__isnull=False)
                    & ~Q(approbateur=F("demandeur"))
                ),
                violation_error_message="Celui qui approuve n'est pas celui qui demande.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="mise_de_cote_jamais_effacee", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"mise de côté de l'anomalie n° {self.anomalie_id}"
