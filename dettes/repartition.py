"""La règle de répartition d'un montant global entre des dettes, à un seul endroit."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol, TypeVar


class ADisponible(Protocol):
    disponible: Decimal


D = TypeVar("D", bound=ADisponible)


def get_disponible_total(dettes: Iterable[ADisponible]) -> Decimal:
    """
    Ce que l'on peut encore payer sur toutes ces dettes, en euros.

    Une dette que la Caf a fait baisser sous ce qui est déjà en route n'ôte rien de ce qui se paie des autres.
    """
    return sum((max(dette.disponible, Decimal(0)) for dette in dettes), Decimal(0))


def repartir(montant: Decimal, dettes: Iterable[D]) -> list[tuple[D, Decimal]]:
    """
    Répartit un montant en euros sur des dettes déjà rangées « plus anciennes d'abord ».

    La plus ancienne est éteinte d'abord, puis la suivante ; à date égale la plus petite (CSS D553-4, DOMAINE §5). La
    somme des parts est le montant, moins ce qui dépasse le disponible de toutes : l'appelant en décide.
    """
    parts = []
    reste = montant
    for dette in dettes:
        part = min(reste, dette.disponible)
        if part > 0:
            parts.append((dette, part))
            reste -= part
    return parts
