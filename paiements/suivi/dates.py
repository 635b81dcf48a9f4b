"""Les jours et les heures, dans les phrases de l'allocataire."""

from datetime import date, datetime

from django.utils import timezone

from socle.templatetags.euros import jour, moment


def dire_le_jour(le: date) -> str:
    """« mardi 1er décembre 2026 »."""
    return jour(le, "l j F Y")


def dire_l_instant(quand: datetime, forme: str = "j F Y") -> str:
    """« 28 novembre 2026 à 05:36 », à Paris."""
    return moment(timezone.localtime(quand), forme)


def dire_le_jour_de(quand: datetime, forme: str = "j F Y") -> str:
    """« 28 novembre 2026 », à Paris."""
    return jour(timezone.localtime(quand), forme)
