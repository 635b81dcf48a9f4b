"""Écrire un montant en euros, dans la langue de qui lit : à la française, ou tel qu'on le tape."""

from decimal import Decimal
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.utils.formats import get_format
from django.utils.translation import get_language, gettext

# Public Sans n'a pas l'espace fine insécable (U+202F) : partout l'espace insécable ordinaire.
INSECABLE = "\u00a0"
MOINS = "\u2212"


class Ecriture(NamedTuple):
    """Comment une langue écrit un montant : où va le signe de l'euro, et ses deux séparateurs."""

    patron: str
    milliers: str
    decimales: str


@cache
def _lire_l_ecriture(langue: str) -> Ecriture:
    """Cherchée une fois par langue, qui est l'active : une page écrit une centaine de montants."""
    return Ecriture(
        gettext("{signe}{chiffres}\u00a0€"),
        str(get_format("THOUSAND_SEPARATOR", langue)),
        str(get_format("DECIMAL_SEPARATOR", langue)),
    )


def _get_ecriture() -> Ecriture:
    return _lire_l_ecriture(get_language() or settings.LANGUAGE_CODE)


def ecrire_euros(montant: Decimal | int) -> str:
    """Écrit un montant en euros, insécable : « 1 234,56 € », ou « €1,234.56 » en anglais."""
    patron, milliers, decimales = _get_ecriture()
    entiers, _, centimes = f"{abs(montant):,.2f}".partition(".")
    chiffres = f"{entiers.replace(',', milliers)}{decimales}{centimes}"
    return patron.format(signe=MOINS if montant < 0 else "", chiffres=chiffres)


def ecrire_euros_court(montant: Decimal | int) -> str:
    """Comme `ecrire_euros`, sans les centimes quand il n'y en a pas : « 340 € »."""
    return ecrire_euros(montant).replace(f"{_get_ecriture().decimales}00", "")


def ecrire_saisie(montant: Decimal) -> str:
    """Écrit un montant tel qu'on le tape : « 1234,56 », ou « 1234.56 » en anglais ; les deux se lisent partout."""
    return f"{montant:.2f}".replace(".", _get_ecriture().decimales)
