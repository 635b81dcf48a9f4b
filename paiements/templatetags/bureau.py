"""L'accueil du bureau : ce qui attend un agent, et où en est la journée."""

from django import template

register = template.Library()


@register.filter
def pluriel(nombre: int) -> str:
    """Le « s » d'un mot qui suit ce nombre : en français, zéro est au singulier."""
    return "s" if nombre > 1 else ""
