"""
La retenue sur prestations, et ce qu'un paiement y change.

Une seule par mois et par foyer, même à plusieurs dettes : elle éteint la plus ancienne, puis la suivante (CSS D553-4,
DOMAINE §4). La Caf écrit pourtant son montant sur chaque dette qu'elle reprend, et parfois deux montants différents :
celui de la plus ancienne, la première reprise, est celui que l'on retient (ADR 0015).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from dettes.models import Dette


@dataclass(frozen=True)
class Retenue:
    """
    La retenue d'un foyer, en euros par mois, et les mois qu'elle durera encore.

    `mois` : sans rien payer de plus que ce qui est déjà en route ; `mois_apres` : si l'on paie ce qui est choisi, None
    quand rien ne l'est.
    """

    montant: Decimal
    mois: int
    mois_apres: int | None


def calculer(dettes: Iterable[Dette], parts: Mapping[int, Decimal] | None = None) -> Retenue | None:
    """
    La retenue d'un foyer ; None s'il n'en a pas.

    :param dettes: ses dettes payables, plus anciennes d'abord, `disponible` calculé
    :param parts: le paiement que l'on prépare, en euros par clé de dette
    """
    reprises = [dette for dette in dettes if dette.retenue_mensuelle]
    if not reprises:
        return None
    montant = reprises[0].retenue_mensuelle or Decimal(0)

    def compter(payees: Mapping[int, Decimal]) -> int:
        restes = (max(dette.disponible - payees.get(dette.pk, Decimal(0)), Decimal(0)) for dette in reprises)
        return int((sum(restes, Decimal(0)) / montant).to_integral_value(ROUND_CEILING))

    return Retenue(montant, mois=compter({}), mois_apres=compter(parts) if parts else None)
