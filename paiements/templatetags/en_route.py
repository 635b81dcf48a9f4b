"""Ce qu'il faut avoir lu avant de payer de nouveau."""

from typing import Any

from django import template
from django.db.models import Q

from comptes.models import Allocataire
from paiements.models import Paiement

register = template.Library()


@register.inclusion_tag("paiements/_en_route.html")
def paiements_en_route(allocataire: Allocataire) -> dict[str, Any]:
    """Les paiements dont l'argent est en route, ou dont un agent examine un débit (`examine`, en euros)."""
    paiements = Paiement.objects.filter(demarche__allocataire=allocataire).select_related(
        "demarche", "debit", "solde", "caf"
    )
    ouvertes = Q(anomalies__etat="OUVERTE", anomalies__transaction__isnull=False)
    concernes = list(paiements.filter(Q(demarche__engagee=True) | ouvertes).distinct())
    for paiement in concernes:
        paiement.examine = paiement.retenu
    montres = [paiement for paiement in concernes if paiement.demarche.engagee or paiement.examine > 0]
    return {"paiements": sorted(montres, key=lambda p: (p.demarche.cree_le, p.demarche_id), reverse=True)}
