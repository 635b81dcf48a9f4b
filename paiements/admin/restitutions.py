"""Rendre de l'argent : un agent demande, un comptable approuve."""

from functools import partial
from typing import Any

from django.contrib import admin

from comptes.bureau import Bouton, GestesAdmin
from comptes.models import Utilisateur
from paiements import restitution
from paiements.models import DemandeRestitution


def decider(demande: DemandeRestitution, _donnees: dict[str, Any], agent: Utilisateur, *, accord: bool) -> str:
    restitution.decider(demande, accord=accord, agent=agent)
    return "La restitution part à la plateforme." if accord else "La restitution est refusée."


def _is_a_decider(demande: DemandeRestitution) -> bool:
    return demande.etat == DemandeRestitution.Etat.DEMANDEE


@admin.register(DemandeRestitution)
class DemandeRestitutionAdmin(GestesAdmin):
    chemin_caf = "paiement__caf"
    list_display = ["paiement", "montant", "etat", "demandeur", "demandee_le", "approbateur", "faite_le"]
    list_filter = ["etat"]
    search_fields = ["paiement__reference"]
    ordering = ["-demandee_le"]
    list_select_related = ["paiement", "demandeur", "approbateur"]
    boutons = [
        Bouton(
            "approuver",
            "Approuver",
            "approuver_restitution",
            _is_a_decider,
            partial(decider, accord=True),
            refus=(restitution.RestitutionImpossible,),
            form=None,
        ),
        Bouton(
            "refuser",
            "Refuser",
            "approuver_restitution",
            _is_a_decider,
            partial(decider, accord=False),
            refus=(restitution.RestitutionImpossible,),
            form=None,
        ),
    ]
