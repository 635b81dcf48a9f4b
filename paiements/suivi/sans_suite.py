"""Où en est une demande qui n'a pas abouti, en mots."""

from django.utils import timezone
from django.utils.translation import gettext

from paiements.models import Paiement
from paiements.passages import get_libre_le
from paiements.statuts import Statut
from paiements.suivi.mots import Progres, dire_le_rendu
from paiements.suivi.retards import has_renonce

# Ce qui n'a pas abouti : on peut recommencer, si aucun débit n'est examiné.
SANS_SUITE = (Statut.REFUSE, Statut.ABANDONNE, Statut.EXPIRE)


def dire_sans_suite(paiement: Paiement) -> Progres:
    """Refusée, expirée ou quittée : pourquoi, si on le sait, et ce qu'il y a à faire."""
    if paiement.rendu_a_part:
        return _rendue(paiement)
    if paiement.statut == Statut.REFUSE:
        return _refusee()
    if has_renonce(paiement):
        return _abandonnee(paiement)
    return Progres(
        "attention",
        gettext("Cette demande n’a pas été réalisée"),
        gettext(
            "Le paiement n’a pas été terminé\u00a0: il a été annulé, le temps est passé, ou un incident"
            " technique l’a empêché. À notre connaissance, votre carte n’a pas été débitée et vos dettes"
            " n’ont pas changé."
        ),
        [],
        is_a_recommencer=True,
    )


def _abandonnee(paiement: Paiement) -> Progres:
    """La plateforme laisse payer tant que sa page est ouverte : d'ici là, on le dit."""
    ouverte = timezone.now() < get_libre_le(paiement)
    return Progres(
        "info",
        gettext("Vos montants sont libérés"),
        gettext(
            "Vous nous avez dit ne pas avoir payé, et PayZen ne connaît aucun paiement pour cette demande."
            " À notre connaissance, votre carte n’a pas été débitée et vos dettes n’ont pas changé."
        ),
        [
            gettext(
                "Si la page de PayZen est encore ouverte dans un autre onglet, fermez-la\u00a0: un paiement terminé"
                " là serait pris, et compté sur vos dettes."
            )
        ]
        if ouverte
        else [],
        is_a_recommencer=True,
    )


def _refusee() -> Progres:
    return Progres(
        "attention",
        gettext("Cette demande n’a pas pu être prise en compte"),
        gettext(
            "La banque n’a pas accepté le paiement, sans nous dire pourquoi. À notre connaissance, votre"
            " carte n’a pas été débitée et vos dettes n’ont pas changé."
        ),
        [
            gettext(
                "Ce qui aide souvent\u00a0: vérifier le plafond de votre carte auprès de votre banque, essayer une"
                " autre carte, rembourser un montant plus petit, en plusieurs fois."
            )
        ],
        is_a_recommencer=True,
    )


def _rendue(paiement: Paiement) -> Progres:
    return Progres(
        "attention",
        gettext("Cette demande n’a pas été réalisée"),
        gettext(
            "La banque a débité votre carte d’une somme qui n’était pas celle de cette demande\u00a0: elle vous"
            " est rendue. Vos dettes n’ont pas changé."
        ),
        [dire_le_rendu(paiement)],
        is_a_recommencer=True,
    )
