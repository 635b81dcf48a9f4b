"""L'accueil du bureau : ce qui attend un agent, et où en est la journée."""

from typing import Any

from django import template
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.template import RequestContext
from django.utils import timezone

from comptes.bureau import limiter
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.statuts import ENCAISSES, Statut

register = template.Library()


@register.inclusion_tag("admin/_accueil.html", takes_context=True)
def ce_qui_attend(context: RequestContext) -> dict[str, Any]:
    """Anomalies ouvertes par genre, de la plus ancienne à la plus récente ; paiements du jour de Paris, en euros."""
    request = context["request"]
    ouvertes = limiter(Anomalie.objects.ouvertes(), request).values("genre")
    paiements = limiter(Paiement.objects.all(), request)
    demandees = DemandeRestitution.objects.filter(etat=DemandeRestitution.Etat.DEMANDEE)
    return {
        "anomalies": [
            {**ligne, "libelle": Anomalie.Genre(ligne["genre"]).label}
            for ligne in ouvertes.annotate(
                nombre=Count("pk"), retenu=Sum("montant"), plus_ancienne=Min("ouverte_le")
            ).order_by("plus_ancienne")
        ],
        "a_confirmer": paiements.filter(statut=Statut.ACCEPTE, confirme_le__isnull=False).count(),
        "a_approuver": limiter(demandees, request, "paiement__caf").count(),
        "jour": _compter_le_jour(paiements),
    }


def _compter_le_jour(paiements: QuerySet[Paiement]) -> dict[str, Any]:
    minuit = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return paiements.filter(cree_le__gte=minuit).aggregate(
        tentatives=Count("pk"),
        acceptes=Count("pk", filter=Q(statut__in=ENCAISSES)),
        encaisse=Sum("montant", filter=Q(statut__in=ENCAISSES), default=0),
    )
