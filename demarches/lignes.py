"""Une dette et son montant dans un récapitulatif, prêts à montrer : chaque valeur déjà écrite."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, TypedDict

from django.utils.translation import gettext

from dettes.models import Dette
from socle.euros import ecrire_euros


class Ligne(TypedDict):
    """Ce que lit `demarches/_ligne.html` : du texte, vide quand il n'y a rien à dire."""

    nom: str
    reference: str
    montant: str
    reste: str


class Reste(NamedTuple):
    """Ce que l'on dit du reste d'une dette après un paiement : quand il en reste, et quand il n'en reste rien."""

    quelque_chose: str
    rien: str


def dire_il_restera() -> Reste:
    """Avant de payer."""
    return Reste(gettext("Il restera {reste}"), gettext("Il n’en restera rien"))


def dire_il_restait() -> Reste:
    """Une fois la dette mise à jour."""
    return Reste(gettext("Il restait {reste} après ce paiement"), gettext("Soldée par ce paiement"))


def dresser(lignes: Iterable[tuple[Dette, Decimal, Decimal]], dit: Reste | None = None) -> list[Ligne]:
    """
    Les lignes de ces dettes, dans leur ordre.

    :param lignes: une dette, ce qu'on en paie, et ce qu'il en reste ensuite, en euros
    :param dit: comment dire ce reste ; None, il ne se dit pas
    """
    return [
        {
            "nom": dette.nom,
            "reference": dette.reference,
            "montant": ecrire_euros(montant),
            "reste": _dire(dit, reste) if dit else "",
        }
        for dette, montant, reste in lignes
    ]


def _dire(dit: Reste, reste: Decimal) -> str:
    return dit.quelque_chose.format(reste=ecrire_euros(reste)) if reste else dit.rien
