"""Le chemin des trois étapes : où l'on a le droit d'aller, où l'on reprend, ce qui empêche d'avancer."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from comptes.acces import RequeteAllocataire, Vue, allocataire_requis
from comptes.models import Allocataire
from demarches.models import Demarche
from demarches.services import DemarcheFigee, get_dettes, get_etape
from dettes.models import Dette
from dettes.repartition import get_disponible_total
from socle import frappe
from socle.sql import Lecture

NOMS = ("informations", "montants", "recapitulatif")
ABANDON = gettext_lazy("Votre démarche est abandonnée. Rien n’est gardé de votre saisie, et rien n’a été payé.")
LA_SIENNE = Lecture(
    lambda auteur, reference: Demarche.objects.select_related("allocataire__caf").filter(
        auteur=auteur, reference=reference
    )
)
VueEtape = Callable[[RequeteAllocataire, Demarche, list[Dette]], HttpResponse]


def page_du_parcours(vue: Vue) -> Vue:
    """Ce que demande toute page du parcours : un allocataire connecté, une saisie jamais perdue."""
    protegee = require_http_methods(["GET", "HEAD", "POST"])(frappe.connexion_requise(allocataire_requis(vue)))
    # `connexion_requise` garde ce qui était écrit avant d'envoyer se connecter : elle passe avant la porte commune.
    ouverte: Vue = login_not_required(wraps(vue)(protegee))
    return ouverte


def etape(numero: Demarche.Etape) -> Callable[[VueEtape], Vue]:
    """
    Garde une étape : la vue ne reçoit que le brouillon de la personne, arrivé jusque-là, et ses dettes payables.

    Une démarche figée mène à son détail ; une étape pas encore atteinte, à celle où l'on en est.
    """

    def decorer(vue: VueEtape) -> Vue:
        @page_du_parcours
        @wraps(vue)
        def gardee(request: RequeteAllocataire, reference: str) -> HttpResponse:
            demarche = get_la_mienne(request, reference)
            if not demarche.is_modifiable:
                return redirect("suivi:detail", reference)
            dettes = get_dettes(demarche)
            if refus := refuser(request, demarche.allocataire, dettes):
                return refus
            if get_etape(demarche) < numero:
                return reprendre(demarche, dette=request.GET.get("dette", ""))
            try:
                return quitter(request, demarche, numero) or vue(request, demarche, dettes)
            except DemarcheFigee:
                return redirect("suivi:detail", reference)

        return gardee

    return decorer


def quitter(request: RequeteAllocataire, demarche: Demarche, courante: Demarche.Etape) -> HttpResponse | None:
    """« Retour » ou « Abandonner », pressés à une étape : ce qui y est tapé l'attend. None pour un autre bouton."""
    faire = request.POST.get("faire")
    if faire == frappe.ABANDONNER and demarche.pk is None:
        frappe.oublier(request, request.path)
        messages.success(request, ABANDON)
        return redirect("dettes:liste")
    if faire not in (frappe.RETOUR, frappe.ABANDONNER):
        return None
    frappe.garder(request, request.path, frappe.lire_envoi(request))
    if faire == frappe.RETOUR:
        return redirect(get_precedente(demarche, courante))
    return redirect("demarches:abandonner", demarche.reference)


def get_la_mienne(request: RequeteAllocataire, reference: str) -> Demarche:
    """La démarche ouverte par cette personne ; celle d'un autre n'existe pas (404)."""
    for demarche in LA_SIENNE.lire(request.user.pk, reference):
        return demarche
    raise Http404


def refuser(request: HttpRequest, allocataire: Allocataire, dettes: list[Dette]) -> HttpResponse | None:
    """La page qui dit pourquoi on ne peut pas rembourser maintenant, ou None si l'on peut."""
    if not allocataire.caf.ouverte:
        return render(request, "pages/suspension.html", {"caf": allocataire.caf}, status=503)
    if not dettes:
        return render(request, "demarches/aucune_dette.html")
    if get_disponible_total(dettes) == 0:
        return render(request, "demarches/tout_engage.html", {"allocataire": allocataire})
    return None


def get_adresse(demarche: Demarche, numero: int) -> str:
    return reverse(f"demarches:{NOMS[numero - 1]}", args=[demarche.reference])


def get_precedente(demarche: Demarche, courante: int) -> str:
    """Là où mène « Retour » ; un brouillon pas encore enregistré n'a rien derrière lui que Mes dettes."""
    if demarche.pk is None or courante == Demarche.Etape.INFORMATIONS:
        return reverse("dettes:liste")
    return get_adresse(demarche, courante - 1)


def aller(adresse: str, *, dette: str = "", ancre: str = "") -> HttpResponse:
    """
    Mène à une page du parcours.

    :param dette: la référence de la dette d'où l'on vient, que la page porte
    :param ancre: l'endroit de la page
    """
    question = f"?{urlencode({'dette': dette})}" if dette else ""
    return redirect(f"{adresse}{question}{f'#{ancre}' if ancre else ''}")


def reprendre(demarche: Demarche, *, dette: str = "") -> HttpResponse:
    """Renvoie à l'étape atteinte ; venu d'une dette, aux montants, où elle sera choisie."""
    atteinte = get_etape(demarche)
    return aller(get_adresse(demarche, min(atteinte, Demarche.Etape.MONTANTS) if dette else atteinte), dette=dette)


def afficher(
    request: HttpRequest, gabarit: str, demarche: Demarche, courante: Demarche.Etape, **contexte: object
) -> HttpResponse:
    """Rend une étape, avec sa barre d'étapes et son retour en arrière."""
    adresses = [get_adresse(demarche, numero) if demarche.pk else "" for numero in Demarche.Etape]
    precedente = get_precedente(demarche, courante)
    commun = {"demarche": demarche, "courante": courante.value, "adresses": adresses, "precedente": precedente}
    return render(request, f"demarches/{gabarit}.html", commun | contexte)
