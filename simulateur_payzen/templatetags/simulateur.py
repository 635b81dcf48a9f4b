"""Mise en forme pour les pages du simulateur."""

from django import template

register = template.Library()


@register.filter
def euros(centimes: int | str) -> str:
    """4525 s'écrit « 45,25 € », avec des espaces insécables."""
    entiers, reste = divmod(int(centimes), 100)
    groupes = f"{entiers:,}".replace(",", "\u202f")
    return f"{groupes},{reste:02d}\u00a0€"
