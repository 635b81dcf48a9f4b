"""Les règles d'un montant, à un seul endroit : ce que l'on peut payer, dette par dette et au total (DOMAINE §5)."""

from collections.abc import Mapping
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext, gettext_lazy

from dettes.models import Dette
from dettes.repartition import get_disponible_total, repartir
from socle.euros import ecrire_euros

Parts = list[tuple[Dette, Decimal]]

ZERO = Decimal(0)
MONTANT_MAXIMUM = Decimal("9999999.99")  # ce que la base tient pour une démarche
DETTE_DISPARUE = gettext_lazy("Une dette que vous aviez choisie ne se paie plus ici\u00a0: relisez vos montants")


class MontantInvalide(Exception):
    """
    Un montant ne peut pas se payer. `erreurs` : la phrase à montrer, par clé de dette.

    La clé None porte sur le total.
    """

    def __init__(self, erreurs: Mapping[int | None, str]) -> None:
        super().__init__("montant impossible à payer")
        self.erreurs = dict(erreurs)


def get_total(parts: Parts) -> Decimal:
    return sum((montant for _, montant in parts), ZERO)


def partager(montant: Decimal, dettes: list[Dette]) -> Parts:
    """
    Répartit un montant global, en euros, sur des dettes rangées « plus anciennes d'abord ».

    :raises MontantInvalide: si le montant dépasse le disponible ou le maximum, ou reste sous le minimum
    """
    disponible = get_disponible_total(dettes)
    if montant > disponible:
        raise MontantInvalide(
            {
                None: gettext("Le montant dépasse ce qu’il reste à payer\u00a0: {disponible}").format(
                    disponible=ecrire_euros(disponible)
                )
            }
        )
    parts = repartir(montant, dettes)
    _exiger_un_total_permis(gettext("Le montant"), parts, disponible)
    return parts


def retenir(montants: Mapping[int, Decimal], dettes: list[Dette]) -> Parts:
    """
    Prend les montants choisis dette par dette, en euros par clé de dette ; zéro veut dire « pas celle-ci ».

    :raises MontantInvalide: si l'un dépasse le disponible de sa dette, si une dette ne se paie plus ici, si rien n'est
        choisi, ou si le total dépasse le maximum ou reste sous le minimum
    """
    choisis = {pk: montant for pk, montant in montants.items() if montant}
    par_cle = {dette.pk: dette for dette in dettes}
    erreurs: dict[int | None, str] = {}
    for pk, montant in choisis.items():
        dette = par_cle.get(pk)
        if dette is None or dette.disponible <= 0:
            erreurs[None] = str(DETTE_DISPARUE)
        elif montant > dette.disponible:
            reste = ecrire_euros(dette.disponible)
            erreurs[pk] = gettext("Le montant dépasse ce qu’il reste à payer pour cette dette\u00a0: {reste}").format(
                reste=reste
            )
    if erreurs:
        raise MontantInvalide(erreurs)
    if not choisis:
        raise MontantInvalide({None: gettext("Indiquez un montant pour au moins une dette")})
    parts = [(dette, choisis[dette.pk]) for dette in dettes if dette.pk in choisis]
    _exiger_un_total_permis(gettext("Le total"), parts, get_disponible_total(dettes))
    return parts


def ramener(voulus: Mapping[int, Decimal], dettes: list[Dette]) -> Parts:
    """Garde de chaque montant voulu, en euros par clé de dette, ce qui tient encore dans le disponible."""
    possibles = [(dette, min(voulus.get(dette.pk, ZERO), dette.disponible)) for dette in dettes]
    return [(dette, montant) for dette, montant in possibles if montant > 0]


def _exiger_un_total_permis(sujet: str, parts: Parts, disponible: Decimal) -> None:
    if get_total(parts) > MONTANT_MAXIMUM:
        raise MontantInvalide(
            {
                None: gettext("Au-delà de {montant_maximum}, payez en plusieurs fois").format(
                    montant_maximum=ecrire_euros(MONTANT_MAXIMUM)
                )
            }
        )
    if not _tient_le_minimum(parts):
        raise MontantInvalide({None: _dire_le_minimum(sujet, disponible)})


def _tient_le_minimum(parts: Parts) -> bool:
    """Un total plus petit n'est admis que s'il solde chaque dette visée : un centime dû se paie (ADR 0030)."""
    total = get_total(parts)
    return total >= settings.MONTANT_MINIMUM or (total > 0 and all(part == dette.disponible for dette, part in parts))


def _dire_le_minimum(sujet: str, disponible: Decimal) -> str:
    if disponible < settings.MONTANT_MINIMUM:
        return gettext("Il reste {disponible} à payer\u00a0: indiquez ce montant exact").format(
            disponible=ecrire_euros(disponible)
        )
    return gettext("{sujet} doit être d’au moins {MONTANT_MINIMUM}, sauf pour solder une dette").format(
        sujet=sujet, MONTANT_MINIMUM=ecrire_euros(settings.MONTANT_MINIMUM)
    )
