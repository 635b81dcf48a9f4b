"""L'explication d'une connexion demandée en chemin."""

from typing import Any

from django import template

from comptes.suite import lire_la_suite

register = template.Library()


@register.inclusion_tag("comptes/_suite.html", takes_context=True)
def dire_la_suite(context: dict[str, Any]) -> dict[str, Any]:
    """Pourquoi il faut se connecter, ce qui est gardé, où l'on va : lit `request` et l'adresse que garde allauth."""
    return {"suite": lire_la_suite(context["request"], context["redirect_field_value"] or "")}
