"""Écrire un montant en euros, dans la langue de qui lit : à la française, ou tel qu'on le tape."""

from decimal import Decimal

from django.utils.formats import get_format
from django.utils.translation import gettext

# Public Sans n'a pas l'espace fine insécable (U+202F) : partout l'espace insécable ordinaire.
INSECABLE = "\u00a0"
MOINS = "\u2212"


def ecrire_euros(montant: Decimal | int) -> str:
    """Écrit un montant en euros, insécable : « 1 234,56 € », ou « €1,234.56 » en anglais."""
    signe = MOINS if montant < 0 else ""
    return gettext("{signe}{chiffres}\u00a0€").format(signe=signe, chiffres=_ponctuer(f"{abs(montant):,.2f}"))


def ecrire_euros_court(montant: Decimal | int) -> str:
    """Comme `ecrire_euros`, sans les centimes quand il n'y en a pas : « 340 € »."""
    return ecrire_euros(montant).replace(f"{get_format('DECIMAL_SEPARATOR')}00", "")


def ecrire_saisie(montant: Decimal) -> str:
    """Écrit un montant tel qu'on le tape : « 1234,56 », ou « 1234.56 » en anglais ; les deux se lisent partout."""
    return f"{montant:.2f}".replace(".", str(get_format("DECIMAL_SEPARATOR")))


def _ponctuer(chiffres: str) -> str:
    """Des milliers et des décimales de Python à ceux de la langue : Django les connaît toutes."""
    milliers, decimales = str(get_format("THOUSAND_SEPARATOR")), str(get_format("DECIMAL_SEPARATOR"))
    return decimales.join(partie.replace(",", milliers) for partie in chiffres.split("."))
