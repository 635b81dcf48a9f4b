"""Écrire un montant en euros : à la française, ou tel qu'on le tape."""

from decimal import Decimal

# Public Sans n'a pas l'espace fine insécable (U+202F) : partout l'espace insécable ordinaire.
INSECABLE = "\u00a0"
MOINS = "\u2212"


def ecrire_euros(montant: Decimal | int) -> str:
    """Écrit un montant en euros à la française, insécable : « 1 234,56 € »."""
    signe = MOINS if montant < 0 else ""
    chiffres = f"{abs(montant):,.2f}".replace(",", INSECABLE).replace(".", ",")
    return f"{signe}{chiffres}{INSECABLE}€"


def ecrire_saisie(montant: Decimal) -> str:
    """Écrit un montant tel qu'on le tape : « 1234,56 »."""
    return f"{montant:.2f}".replace(".", ",")
