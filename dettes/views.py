"""« Mes dettes » : ce que je dois, pourquoi, et ce qui est en route (PARCOURS §2)."""

from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from comptes.acces import RequeteAllocataire, allocataire_requis, get_dossier
from dettes import cartes, droits, histoire, retenue
from dettes.models import Dette
from dettes.repartition import get_disponible_total
from socle.sql import Lecture

DETTES = Lecture(lambda cle: Dette.objects.filter(allocataire=cle).with_disponible().plus_anciennes_d_abord())


@require_safe
@allocataire_requis
def liste(request: RequeteAllocataire) -> HttpResponse:
    """Toutes les dettes du dossier : celles que l'on peut régler ici, puis les autres avec la raison."""
    allocataire = get_dossier(request)
    dettes = DETTES.lire(allocataire.pk)
    payables = [dette for dette in dettes if dette.is_payable]
    contexte = {
        "allocataire": allocataire,
        "cartes": cartes.dresser(payables, payer=reverse("demarches:commencer") if allocataire.caf.ouverte else ""),
        "autres": cartes.dresser([dette for dette in dettes if not dette.is_payable], payer=""),
        "reste": sum((dette.solde for dette in payables), Decimal(0)),
        "disponible": get_disponible_total(payables),
        "mots": {mot for dette in payables for mot in (dette.phase, dette.situation)},
        "retenue": retenue.calculer(payables),
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
        "mots": {dette.phase, dette.situation},
        "droits": droits.dater(dette, timezone.localdate()),
        "retenue": get_retenue(dette),
    }
    return render(request, "dettes/detail.html", contexte)


def get_retenue(dette: Dette) -> retenue.Retenue | None:
    """La retenue du foyer, si elle reprend cette dette, et ce qu'il en serait si l'on payait toute la dette ici."""
    if not dette.is_payable or not dette.retenue_mensuelle:
        return None
    payables = Dette.objects.filter(allocataire=dette.allocataire_id).payables().with_disponible()
    return retenue.calculer(payables.plus_anciennes_d_abord(), {dette.pk: dette.disponible})
