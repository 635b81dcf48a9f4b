"""Une démarche, prête à montrer en carte : chaque valeur déjà écrite, pour un gabarit qui n'a plus qu'à la poser."""

from collections.abc import Iterable
from typing import TypedDict

from django.utils import timezone
from django.utils.translation import gettext

from demarches.models import Demarche
from socle import adresses
from socle.euros import ecrire_euros
from socle.templatetags.euros import moment


class Carte(TypedDict):
    """Ce que lit `demarches/_carte.html` : du texte, ou vide quand il n'y a rien à dire."""

    demarche: Demarche
    reference: str
    adresse: str
    titre: str
    montant: str


def dresser(demarches: Iterable[Demarche]) -> list[Carte]:
    """
    Les cartes de ces démarches, dans leur ordre.

    :param demarches: leur paiement chargé
    """
    adresser = adresses.chercher("suivi:detail")
    return [
        {
            "demarche": demarche,
            "reference": demarche.reference,
            "adresse": adresser(demarche.reference),
            "titre": dire_le_titre(demarche),
            "montant": ecrire_euros(demarche.montant) if demarche.montant else "",
        }
        for demarche in demarches
    ]


def dire_le_titre(demarche: Demarche) -> str:
    """Le nom d'une démarche : sa date, à Paris. L'heure distingue deux essais du même jour."""
    if demandee_le := demarche.demandee_le:
        return gettext("Remboursement du {le}").format(le=moment(timezone.localtime(demandee_le)))
    return gettext("Remboursement commencé le {le}").format(le=moment(timezone.localtime(demarche.cree_le)))
