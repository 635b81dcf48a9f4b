"""Ce qu'il faut avoir lu avant de payer de nouveau."""

from typing import Any

from django import template
from django.db.models import Prefetch, Q, Sum

from comptes.models import Allocataire
from paiements.models import Anomalie, Paiement, Reprise

register = template.Library()


@register.inclusion_tag("paiements/_en_route.html")
def paiements_en_route(allocataire: Allocataire) -> dict[str, Any]:
    """Les paiements dont l'argent est en route, ou dont un agent examine un débit (`examine`, en euros)."""
    examinees = Anomalie.objects.retenues().ouvertes()
    paiements = (
        Paiement.objects.filter(demarche__allocataire=allocataire)
        .annotate(examine=Sum("anomalies__montant", filter=Q(anomalies__in=examinees)))
        .filter(Q(demarche__engagee=True) | Q(examine__gt=0))
        .select_related("demarche")
        .prefetch_related(Prefetch("reprises", Reprise.objects.select_related("anomalie")))
    )
    return {"paiements": paiements.order_by("-demarche__cree_le", "-demarche")}
