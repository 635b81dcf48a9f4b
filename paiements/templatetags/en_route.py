"""Ce qu'il faut avoir lu avant de payer de nouveau."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.template import RequestContext

from comptes.models import Allocataire
from demarches.models import Demarche
from paiements.suivi.bandeaux import Deja, dire_deja, dire_en_route

register = template.Library()


@register.inclusion_tag("paiements/_en_route.html", takes_context=True)
def paiements_en_route(context: RequestContext, allocataire: Allocataire, sauf: Iterable[Deja] = ()) -> dict[str, Any]:
    """
    Les demandes dont l'argent est en route, ou dont un agent examine un débit.

    :param sauf: celles que la page dit déjà payées
    """
    dites = {deja.demarche for deja in sauf if deja.is_payee}
    return {"bandeaux": dire_en_route(allocataire, context["user"], sauf=dites)}


@register.simple_tag
def deja_demandees(demarche: Demarche, autres: Iterable[Demarche]) -> list[Deja]:
    """Ce qui est déjà demandé, ou payé depuis peu, sur les mêmes dettes : `autres`, en mots."""
    return [dire_deja(autre, demarche) for autre in autres]
