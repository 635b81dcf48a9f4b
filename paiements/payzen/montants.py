"""La seule porte entre nos euros (``Decimal``) et les centimes de PayZen (``int``)."""

from decimal import Decimal, InvalidOperation

CENTIME = Decimal("0.01")


def to_centimes(montant: Decimal) -> int:
    """
    Montant en euros vers centimes : 12,50 € donne 1250. Rien n'est arrondi.

    :raises ValueError: si le montant ne tombe pas juste au centime, ou n'est pas un nombre
    """
    try:
        exact = montant.quantize(CENTIME)
    except InvalidOperation:
        raise ValueError(f"{montant} n'est pas un montant en euros") from None
    if exact != montant:
        raise ValueError(f"{montant} ne tombe pas juste au centime")
    return int(exact.scaleb(2))


def from_centimes(centimes: int) -> Decimal:
    """
    Centimes vers euros, toujours à deux décimales : 1250 donne 12,50 €.

    :raises ValueError: si ce n'est pas un entier
    """
    if type(centimes) is not int:
        raise ValueError(f"{centimes!r} n'est pas un nombre entier de centimes")
    return Decimal(centimes).scaleb(-2)
