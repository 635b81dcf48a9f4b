"""L'accueil du bureau, posé dans sa page."""

from datetime import datetime
from typing import Any

from django import template
from django.template import RequestContext
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
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


@register.filter
def etiqueter(cellule: str, titre: str) -> SafeString:
    """Une cellule que Django a écrite, avec le titre de sa colonne : empilée, au téléphone, elle se comprend."""
    balise, suite = cellule[:3], cellule[3:]
    return format_html('{} data-label="{}"{}', mark_safe(balise), capfirst(strip_tags(titre)), mark_safe(suite))  # noqa: S308 (déjà échappée)


@register.inclusion_tag("admin/_accueil.html", takes_context=True)
def ce_qui_attend(context: RequestContext) -> dict[str, Any]:
    return dire_ce_qui_attend(context["request"])
