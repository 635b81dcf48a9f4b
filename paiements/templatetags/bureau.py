"""L'accueil du bureau : ce qui attend un agent, et où en est la journée."""

from datetime import datetime
from typing import Any

from django import template
from django.db.models import Count, Min, Q, Sum
from django.template import RequestContext
from django.utils import timezone

from comptes.bureau import get_agent
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.statuts import ENCAISSES, Statut

register = template.Library()


@register.inclusion_tag("admin/_accueil.html", takes_context=True)
def ce_qui_attend(context: RequestContext) -> dict[str, Any]:
    """Anomalies ouvertes par genre, de la plus ancienne à la plus récente ; paiements du jour de Paris, en euros."""
    request = context["request"]
    agent = get_agent(request)
    cafs = Q() if request.user.is_superuser else Q(caf__in=agent.cafs.all() if agent else [])
    ouvertes = Anomalie.objects.ouvertes().filter(cafs).values("genre")
    minuit = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "anomalies": [
            {**ligne, "libelle": Anomalie.Genre(ligne["genre"]).label}
            for ligne in ouvertes.annotate(
                nombre=Count("pk"), retenu=Sum("montant"), plus_ancienne=Min("ouverte_le")
            ).order_by("plus_ancienne")
        ],
        "a_confirmer": Paiement.objects.filter(cafs, statut=Statut.ACCEPTE, confirme_le__isnull=False).count(),
        "a_approuver": DemandeRestitution.objects.filter(
            Q() if request.user.is_superuser else Q(paiement__caf__in=agent.cafs.all() if agent else []),
            etat=DemandeRestitution.Etat.DEMANDEE,
        ).count(),
        "jour": _compter_le_jour(cafs, minuit),
    }


def _compter_le_jour(cafs: Q, minuit: datetime) -> dict[str, Any]:
    return Paiement.objects.filter(cafs, cree_le__gte=minuit).aggregate(
        tentatives=Count("pk"),
        acceptes=Count("pk", filter=Q(statut__in=ENCAISSES)),
        encaisse=Sum("montant", filter=Q(statut__in=ENCAISSES), default=0),
    )
