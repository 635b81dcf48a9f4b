"""Rembourser : commencer, les quatre étapes, abandonner. Un GET n'écrit jamais."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from comptes.acces import RequeteAllocataire, allocataire_requis, get_dossier
from demarches import services
from demarches.etats import Etat
from demarches.formulaires import ChoixForm, InformationsForm
from demarches.models import Demarche, LigneDemarche
from demarches.montants import get_disponible_total
from demarches.parcours import (
    afficher,
    etape,
    get_adresse,
    get_la_mienne,
    get_saisie,
    refuser,
    reprendre,
)
from demarches.saisie import saisir_les_montants, saisir_un_montant
from demarches.services import Ecart

Etape = Demarche.Etape


@require_http_methods(["GET", "HEAD", "POST"])
@allocataire_requis
def commencer(request: RequeteAllocataire) -> HttpResponse:
    """La page d'avant : ce qu'il faut avoir, ce qui va se passer ; ou la reprise du brouillon."""
    allocataire = get_dossier(request)
    dettes = services.get_dettes_de(allocataire)
    if refus := refuser(request, allocataire, dettes):
        return refus
    if request.method == "POST":
        return reprendre(services.commencer(request.user))
    contexte = {
        "brouillon": Demarche.objects.brouillons().filter(auteur=request.user).first(),
        "disponible": get_disponible_total(dettes),
        "allocataire": allocataire,
        "has_retenue": any(dette.retenue_mensuelle for dette in dettes),
    }
    return render(request, "demarches/commencer.html", contexte)


@etape(Etape.INFORMATIONS)
def informations(request: RequeteAllocataire, demarche: Demarche) -> HttpResponse:
    deja_lues = demarche.mentions_version == settings.MENTIONS_VERSION
    form = InformationsForm(get_saisie(request), initial={"lu": deja_lues, "courriel": demarche.courriel})
    if request.method == "POST" and form.is_valid():
        return reprendre(services.enregistrer_informations(demarche, courriel=form.cleaned_data["courriel"]))
    return afficher(request, "informations", demarche, Etape.INFORMATIONS, form=form)


@etape(Etape.CHOIX)
def choix(request: RequeteAllocataire, demarche: Demarche) -> HttpResponse:
    form = ChoixForm(get_saisie(request), initial={"mode": demarche.mode})
    if request.method == "POST" and form.is_valid():
        return reprendre(services.choisir_mode(demarche, form.cleaned_data["mode"]))
    return afficher(request, "choix", demarche, Etape.CHOIX, form=form)


@etape(Etape.MONTANTS)
def montants(request: RequeteAllocataire, demarche: Demarche) -> HttpResponse:
    dettes = services.get_dettes(demarche)
    if demarche.mode == Demarche.Mode.GLOBAL:
        return saisir_un_montant(request, demarche, dettes)
    return saisir_les_montants(request, demarche, dettes)


@etape(Etape.RECAPITULATIF)
def recapitulatif(request: RequeteAllocataire, demarche: Demarche) -> HttpResponse:
    """Ce qui va être payé. Un POST ramène les montants à ce qui peut encore se payer."""
    if request.method == "POST":
        return reprendre(services.ajuster(demarche))
    return afficher_recapitulatif(request, demarche, ecarts=services.get_ecarts(demarche), status=200)


def afficher_recapitulatif(
    request: HttpRequest, demarche: Demarche, *, ecarts: list[Ecart], status: int
) -> HttpResponse:
    """
    Rend le récapitulatif d'un brouillon, avec ce qui ne tient plus depuis qu'il a été montré.

    :param ecarts: les lignes qui ne tiennent plus ; tant qu'il y en a, « Payer » n'est pas proposé
    :param status: 409 quand « Payer » a été pressé sur un récapitulatif qui n'est plus vrai
    """
    if refus := refuser(request, demarche.allocataire, services.get_dettes(demarche)):
        return refus
    if services.get_etape(demarche) < Etape.RECAPITULATIF:
        return reprendre(demarche)
    # Les lignes montrées et leur empreinte viennent de la même lecture : rien ne se glisse entre les deux.
    prefetch_related_objects(
        [demarche],
        Prefetch("lignes", LigneDemarche.objects.select_related("dette").order_by("dette__notifiee_le", "pk")),
    )
    contexte = {
        "ecarts": ecarts,
        "has_retenue": any(ligne.dette.retenue_mensuelle for ligne in demarche.lignes.all()),
        "a_change": status == 409,
        "empreinte": services.empreinte(demarche),
        "plateforme": urlsplit(settings.PAYZEN_URL_FORMULAIRE).hostname,
    }
    reponse = afficher(request, "recapitulatif", demarche, Etape.RECAPITULATIF, **contexte)
    reponse.status_code = status
    return reponse


@require_http_methods(["GET", "HEAD", "POST"])
@allocataire_requis
def abandonner(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Demande de confirmer, puis efface la saisie. Reste possible quand le service est suspendu."""
    demarche = get_la_mienne(request, reference)
    if demarche.etat not in (Etat.BROUILLON, Etat.ABANDONNEE):
        return redirect("demarches:detail", reference)
    if request.method != "POST":
        retour = get_adresse(demarche, services.get_etape(demarche))
        return render(request, "demarches/abandonner.html", {"demarche": demarche, "retour": retour})
    try:
        services.abandonner(demarche)
    except services.DemarcheFigee:
        return redirect("demarches:detail", reference)
    messages.success(request, "Votre démarche est abandonnée. Rien n’est gardé de votre saisie, et rien n’a été payé.")
    return redirect("dettes:liste")
