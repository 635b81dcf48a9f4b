"""Ce qu'il faut être deux pour décider : un agent demande, un comptable approuve."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin

from comptes.models import Utilisateur
from paiements.boutiques import BoutiqueAbsente
from paiements.bureau.plateforme import dire_la_panne
from paiements.models import DemandeCloture, DemandeRestitution
from paiements.payzen import EchecRest
from paiements.retours import cloture, ordres, restitution
from socle.bureau import Bouton, GestesAdmin


def decider(demande: DemandeRestitution, _donnees: dict[str, Any], agent: Utilisateur, *, accord: bool) -> str:
    restitution.decider(demande, accord=accord, agent=agent)
    return "La restitution part à la plateforme." if accord else "La restitution est refusée."


def abandonner(demande: DemandeRestitution, donnees: dict[str, Any], agent: Utilisateur) -> str:
    with dire_la_panne(demande.paiement):
        ordres.abandonner(demande, motif=donnees["motif"], agent=agent)
    return "L'ordre est arrêté : la plateforme ne l'avait pas exécuté."


def decider_de_clore(demande: DemandeCloture, _donnees: dict[str, Any], agent: Utilisateur, *, accord: bool) -> str:
    cloture.decider(demande, accord=accord, agent=agent)
    return "Le paiement est clos sans débit ; ses montants sont libres." if accord else "La clôture est refusée."


def _is_en_route(demande: DemandeRestitution) -> bool:
    return demande.etat in (DemandeRestitution.Etat.APPROUVEE, DemandeRestitution.Etat.ENVOYEE)


def _is_a_decider(demande: DemandeRestitution) -> bool:
    return demande.etat == DemandeRestitution.Etat.DEMANDEE


def _is_cloture_a_decider(demande: DemandeCloture) -> bool:
    return demande.accord is None


def _boutons_a_deux(
    approuver: str, is_a_decider: Callable[[Any], bool], decide: Callable[..., str], refus: type[Exception]
) -> list[Bouton]:
    """Approuver ou refuser ce qu'un autre demande : le même droit, et rien à remplir."""
    return [
        Bouton(
            nom,
            libelle,
            "approuver_restitution",
            is_a_decider,
            partial(decide, accord=accord),
            refus=(refus,),
            form=None,
        )
        for nom, libelle, accord in (("approuver", approuver, True), ("refuser", "Refuser", False))
    ]


@admin.register(DemandeRestitution)
class DemandeRestitutionAdmin(GestesAdmin):
    chemin_caf = "paiement__caf"
    list_display = ["paiement", "montant", "etat", "demandeur", "demandee_le", "approbateur", "faite_le"]
    list_filter = ["etat"]
    search_fields = ["paiement__reference"]
    ordering = ["-demandee_le"]
    list_select_related = ["paiement", "demandeur", "approbateur"]
    boutons = [
        *_boutons_a_deux("Approuver", _is_a_decider, decider, restitution.RestitutionImpossible),
        Bouton(
            "abandonner",
            "Arrêter cet ordre",
            "approuver_restitution",
            _is_en_route,
            abandonner,
            refus=(restitution.RestitutionImpossible, ordres.RestitutionPrise, EchecRest, BoutiqueAbsente),
        ),
    ]


@admin.register(DemandeCloture)
class DemandeClotureAdmin(GestesAdmin):
    chemin_caf = "paiement__caf"
    list_display = ["paiement", "accord", "demandeur", "demandee_le", "approbateur", "decidee_le"]
    list_filter = ["accord"]
    search_fields = ["paiement__reference"]
    ordering = ["-demandee_le"]
    list_select_related = ["paiement", "demandeur", "approbateur"]
    boutons = _boutons_a_deux(
        "Approuver la clôture sans débit", _is_cloture_a_decider, decider_de_clore, cloture.ClotureImpossible
    )
