"""L'accueil du bureau : ce qui attend un agent, et où en est la journée."""

from datetime import timedelta
from typing import Any

from django import template
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.template import RequestContext
from django.utils import timezone

from dettes.models import FichierRecu
from paiements.models import Anomalie, DemandeRestitution, NotificationPayzen, Paiement, Reprise, Ticket
from paiements.statuts import ENCAISSES, RESTITUABLES, Statut
from socle.bureau import limiter

register = template.Library()

SUIVI = timedelta(hours=2)
RETARD = timedelta(minutes=5)


@register.filter
def pluriel(nombre: int) -> str:
    """Le « s » d'un mot qui suit ce nombre : en français, zéro est au singulier."""
    return "s" if nombre > 1 else ""


@register.inclusion_tag("admin/_accueil.html", takes_context=True)
def ce_qui_attend(context: RequestContext) -> dict[str, Any]:
    """Anomalies ouvertes par genre, de la plus ancienne à la plus récente ; paiements du jour de Paris, en euros."""
    request = context["request"]
    ouvertes = limiter(Anomalie.objects.ouvertes(), request, sans_caf=True).values("genre")
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
        "liens": _regarder_les_liens(paiements, limiter(FichierRecu.objects.all(), request)),
    }


def _regarder_les_liens(paiements: QuerySet[Paiement], livraisons: QuerySet[FichierRecu]) -> dict[str, Any]:
    """L'état de ce qui nous relie au dehors : PayZen, le courrier, les tâches, la Caf (PROTOCOLE §11.7)."""
    maintenant = timezone.now()
    notifiees = NotificationPayzen.objects.exclude(source="REST").filter(paiement__in=paiements)
    derniere = notifiees.order_by("-recue_le").values_list("recue_le", flat=True).first()
    # Acceptés, et nous ne l'avons su qu'en interrogeant : la notification s'est perdue.
    dites = NotificationPayzen.objects.filter(paiement=OuterRef("pk")).exclude(source="REST")
    sans_notification = paiements.filter(
        ~Exists(dites), cree_le__gte=maintenant - 2 * SUIVI, accepte_le__gte=maintenant - SUIVI
    )
    livraisons_par_caf = livraisons.values("caf").annotate(le=Max("pris_le")).values_list("le", flat=True)
    tickets = Ticket.objects.filter(etat=Ticket.Etat.A_ENVOYER, paiement__in=paiements)
    return {
        "notification": derniere,
        "sans_notification": sans_notification.count(),
        "livraison": min(livraisons_par_caf, default=None),
        "controles": paiements.filter(prochain_controle_le__lt=maintenant - RETARD).count(),
        "tickets": tickets.filter(prochain_essai_le__lt=maintenant - RETARD).count(),
    }


def _compter_le_jour(paiements: QuerySet[Paiement]) -> dict[str, Any]:
    minuit = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    du_jour = paiements.filter(cree_le__gte=minuit)
    debite = Sum("montant", filter=Q(statut__in=RESTITUABLES), default=0)
    compte = du_jour.aggregate(
        tentatives=Count("pk"), acceptes=Count("pk", filter=Q(statut__in=ENCAISSES)), debite=debite
    )
    # Ce qui en est reparti n'y est plus : un paiement annulé ou rendu, une part reprise.
    reprises = Reprise.objects.filter(paiement__in=du_jour.filter(statut__in=RESTITUABLES))
    return compte | {"tenu": compte["debite"] - reprises.aggregate(somme=Sum("montant", default=0))["somme"]}
