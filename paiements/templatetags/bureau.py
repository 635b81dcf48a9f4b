"""L'accueil du bureau, posé dans sa page."""

from datetime import datetime
from typing import Any

from django import template
from django.template import RequestContext
from django.utils.timesince import timesince

from paiements.bureau.accueil import dire_ce_qui_attend

register = template.Library()


@register.filter
def pluriel(nombre: int) -> str:
    """Le « s » d'un mot qui suit ce nombre : en français, zéro est au singulier."""
    return "s" if nombre > 1 else ""


@register.filter
def anciennete(instant: datetime) -> str:
    """« il y a 3 jours » ; « à l’instant » avant une minute."""
    ecart = timesince(instant)
    return "à l’instant" if ecart.startswith("0") else f"il y a {ecart}"


@register.inclusion_tag("admin/_accueil.html", takes_context=True)
def ce_qui_attend(context: RequestContext) -> dict[str, Any]:
    return dire_ce_qui_attend(context["request"])
