"""L'accueil du bureau, posé dans sa page."""

from typing import Any

from django import template
from django.template import RequestContext

from paiements.bureau.accueil import dire_ce_qui_attend

register = template.Library()


@register.filter
def pluriel(nombre: int) -> str:
    """Le « s » d'un mot qui suit ce nombre : en français, zéro est au singulier."""
    return "s" if nombre > 1 else ""


@register.inclusion_tag("admin/_accueil.html", takes_context=True)
def ce_qui_attend(context: RequestContext) -> dict[str, Any]:
    return dire_ce_qui_attend(context["request"])
