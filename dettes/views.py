"""« Mes dettes » : ce que je dois, pourquoi, et ce qui est en route (PARCOURS §2)."""

from decimal import ROUND_CEILING, Decimal

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from comptes.acces import RequeteAllocataire, allocataire_requis, get_dossier
from dettes import histoire
from dettes.models import Dette


@require_safe
@allocataire_requis
def liste(request: RequeteAllocataire) -> HttpResponse:
    """Toutes les dettes du dossier : celles que l'on peut régler ici, puis les autres avec la raison."""
    allocataire = get_dossier(request)
    dettes = list(Dette.objects.for_allocataire(allocataire).with_disponible().plus_anciennes_d_abord())
    payables = [dette for dette in dettes if dette.is_payable]
    contexte = {
        "allocataire": allocataire,
        "payables": payables,
        "autres": [dette for dette in dettes if not dette.is_payable],
        "reste": sum((dette.solde for dette in payables), Decimal(0)),
        "disponible": sum((dette.disponible for dette in payables), Decimal(0)),
    }
    return render(request, "dettes/liste.html", contexte)


@require_safe
@allocataire_requis
def detail(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Une dette : pourquoi, ce qui s'est passé, les droits. Celle d'un autre dossier n'existe pas."""
    allocataire = get_dossier(request)
    dette = get_object_or_404(Dette.objects.for_allocataire(allocataire).with_disponible(), reference=reference)
    mouvements = list(dette.mouvements.order_by("pk"))
    contexte = {
        "allocataire": allocataire,
        "dette": dette,
        "evenements": histoire.raconter(dette, mouvements),
        "colonnes": histoire.COLONNES,
        "lignes": histoire.tabuler(dette, mouvements),
        "courbe": histoire.tracer(dette, mouvements, timezone.localdate()),
        "mois_de_retenue": get_mois_de_retenue(dette),
    }
    return render(request, "dettes/detail.html", contexte)


def get_mois_de_retenue(dette: Dette) -> int | None:
    """Combien de mois encore au rythme de la retenue en cours ; rien s'il n'y en a pas."""
    if not dette.is_payable or not dette.retenue_mensuelle:
        return None
    return int((dette.solde / dette.retenue_mensuelle).to_integral_value(ROUND_CEILING))
