"""Les jours et les heures, dans les phrases de l'allocataire."""

from datetime import date, datetime

from django.utils import timezone

from socle.templatetags.euros import jour


def dire_le_jour(le: date) -> str:
    """« mardi 1er décembre 2026 »."""
    return jour(le, "l j F Y")


def dire_l_instant(quand: datetime, forme: str = "j F Y à H:i") -> str:
    """« 28 novembre 2026 à 05:36 », à Paris."""
    return jour(timezone.localtime(quand), forme)
