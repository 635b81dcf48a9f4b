"""Sortir des comptes une grosse somme : un agent demande, un comptable décide."""

import pgtrigger
from django.db import models
from django.db.models import Q

from paiements.models.anomalie import Anomalie
from paiements.models.demande import DemandeADeux, decidee_a_deux
from paiements.models.transaction import TransactionPayzen


class DemandeMiseDeCote(DemandeADeux):
    """
    Laisser de l'argent que la banque tient, sans le rendre ni l'imputer, au-dessus du seuil de la Caf : à deux.

    Ou, avec un `verdict`, tenir pour vrai d'une transaction douteuse ce qui sort cette somme des comptes.

    `situation` est l'état des comptes que l'agent avait sous les yeux : s'il change, il n'y a plus rien à approuver.
    """

    anomalie = models.ForeignKey(Anomalie, models.PROTECT, related_name="demandes")
    situation = models.CharField(max_length=200, blank=True)
    # En euros ; absent si la somme ne s'y compte pas : une autre devise, un écart sans transaction connue.
    montant = models.DecimalField("argent en jeu", max_digits=10, decimal_places=2, null=True)
    verdict = models.CharField(max_length=7, choices=TransactionPayzen.Verdict, blank=True)

    class Meta:
        verbose_name = "demande de mise de côté"
        verbose_name_plural = "demandes de mise de côté"
        constraints = [
            models.UniqueConstraint(
                name="une_mise_de_cote_a_decider_par_anomalie", fields=["anomalie"], condition=Q(accord=None)
            ),
            decidee_a_deux("mise_de_cote_demandee_et_decidee_a_deux"),
        ]
        triggers = [pgtrigger.Protect(name="mise_de_cote_jamais_effacee", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"mise de côté de l'anomalie n° {self.anomalie_id}"
