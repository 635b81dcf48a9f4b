"""Le chemin des quatre étapes : où l'on a le droit d'aller, où l'on reprend, ce qui empêche d'avancer."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from comptes.acces import RequeteAllocataire, Vue, allocataire_requis
from comptes.models import Allocataire
from demarches.models import Demarche
from demarches.montants import get_disponible_total
from demarches.services import DemarcheFigee, get_dettes, get_etape
from dettes.models import Dette

NOMS = ("informations", "choix", "montants", "recapitulatif")
VueEtape = Callable[[RequeteAllocataire, Demarche], HttpResponse]


def etape(numero: Demarche.Etape) -> Callable[[VueEtape], Vue]:
    """
    Garde une étape : la vue ne reçoit que le brouillon de la personne, arrivé jusque-là.

    Une démarche figée mène à son détail ; une étape pas encore atteinte, à celle où l'on en est.
    """

    def decorer(vue: VueEtape) -> Vue:
        @require_http_methods(["GET", "HEAD", "POST"])
        @allocataire_requis
        @wraps(vue)
        def gardee(request: RequeteAllocataire, reference: str) -> HttpResponse:
            demarche = get_la_mienne(request, reference)
            if not demarche.is_modifiable:
                return redirect("demarches:detail", reference)
            if refus := refuser(request, demarche.allocataire, get_dettes(demarche)):
                return refus
            if get_etape(demarche) < numero:
                return reprendre(demarche)
            try:
                return vue(request, demarche)
            except DemarcheFigee:
                return redirect("demarches:detail", reference)

        return gardee

    return decorer


def get_saisie(request: HttpRequest) -> QueryDict | None:
    """Ce qui a été envoyé, même vide ; None quand on ne fait que regarder."""
    return request.POST if request.method == "POST" else None


def get_la_mienne(request: RequeteAllocataire, reference: str) -> Demarche:
    """La démarche ouverte par cette personne ; celle d'un autre n'existe pas (404)."""
    demarches = Demarche.objects.select_related("allocataire__caf")
    return get_object_or_404(demarches, auteur=request.user, reference=reference)


def refuser(request: HttpRequest, allocataire: Allocataire, dettes: list[Dette]) -> HttpResponse | None:
    """La page qui dit pourquoi on ne peut pas rembourser maintenant, ou None si l'on peut."""
    if not allocataire.caf.ouverte:
        return render(request, "pages/suspension.html", {"caf": allocataire.caf}, status=503)
    if not dettes:
        return render(request, "demarches/aucune_dette.html")
    if get_disponible_total(dettes) == 0:
        engagees = allocataire.demarches.engagees().plus_recentes_d_abord()
        return render(request, "demarches/tout_engage.html", {"engagees": engagees})
    return None


def get_adresse(demarche: Demarche, numero: int) -> str:
    return reverse(f"demarches:{NOMS[numero - 1]}", args=[demarche.reference])


def reprendre(demarche: Demarche) -> HttpResponse:
    """Renvoie à l'étape atteinte."""
    return redirect(get_adresse(demarche, get_etape(demarche)))


def afficher(
    request: HttpRequest, gabarit: str, demarche: Demarche, courante: Demarche.Etape, **contexte: object
) -> HttpResponse:
    """Rend une étape, avec sa barre d'étapes et son retour en arrière."""
    adresses = [get_adresse(demarche, numero) for numero in Demarche.Etape]
    precedente = adresses[courante - 2] if courante > 1 else reverse("dettes:liste")
    commun = {"demarche": demarche, "courante": courante.value, "adresses": adresses, "precedente": precedente}
    return render(request, f"demarches/{gabarit}.html", commun | contexte)
