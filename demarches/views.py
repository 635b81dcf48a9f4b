"""Rembourser : commencer, les trois étapes, abandonner. Un GET n'écrit jamais."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy

from comptes.acces import RequeteAllocataire
from demarches import lignes, mentions, saisie, services
from demarches.etats import Etat
from demarches.models import Demarche
from demarches.montants import ZERO
from demarches.parcours import (
    ABANDON,
    afficher,
    etape,
    get_adresse,
    get_la_mienne,
    page_du_parcours,
    quitter,
    refuser,
    reprendre,
)
from demarches.recapitulatif import lire_le_recapitulatif
from dettes import retenue
from dettes.models import Dette
from socle import frappe

Etape = Demarche.Etape
REPRISE = gettext_lazy(
    "Vous reprenez votre démarche là où vous l’aviez laissée. Pour repartir de rien, abandonnez-la en bas de la page."
)


@page_du_parcours
def commencer(request: RequeteAllocataire) -> HttpResponseBase:
    """
    La première étape à faire, ou la reprise du brouillon. Le brouillon ne s'enregistre qu'au premier envoi.

    ?dette= porte la dette d'où l'on vient, pour qu'elle soit choisie aux montants.
    """
    brouillon = Demarche.objects.brouillons().filter(auteur=request.user).select_related("allocataire__caf").first()
    demarche = brouillon or services.preparer(request.user)
    dettes = services.get_dettes(demarche)
    if refus := refuser(request, demarche.allocataire, dettes):
        return refus
    numero = services.get_etape(demarche)
    if request.method == "POST":
        if suite := quitter(request, demarche, numero):
            return suite
        # Une page restée ouverte peut envoyer les informations d'un brouillon qui en est déjà aux montants.
        vue = informations if request.POST.get("etape") == str(Etape.INFORMATIONS.value) else montants
        return vue(request, services.commencer(request.user).reference)
    if brouillon:
        return _reprendre_le_brouillon(request, brouillon)
    if numero == Etape.INFORMATIONS:
        return mentions.montrer(request, demarche, dettes)
    return saisie.montrer(request, demarche, dettes)


def _reprendre_le_brouillon(request: RequeteAllocataire, brouillon: Demarche) -> HttpResponse:
    dette = request.GET.get("dette", "")
    if not dette:
        messages.info(request, REPRISE)
    return reprendre(brouillon, dette=dette)


@etape(Etape.INFORMATIONS)
def informations(request: RequeteAllocataire, demarche: Demarche, dettes: list[Dette]) -> HttpResponse:
    if request.method == "POST":
        return mentions.recevoir(request, demarche)
    return mentions.montrer(request, demarche, dettes)


@etape(Etape.MONTANTS)
def montants(request: RequeteAllocataire, demarche: Demarche, dettes: list[Dette]) -> HttpResponse:
    vue = saisie.recevoir if request.method == "POST" else saisie.montrer
    return vue(request, demarche, dettes)


@etape(Etape.RECAPITULATIF)
def recapitulatif(request: RequeteAllocataire, demarche: Demarche, dettes: list[Dette]) -> HttpResponse:
    """Ce qui va être payé. Un POST ramène les montants à ce qui peut encore se payer."""
    if request.method == "POST":
        return reprendre(services.ajuster(demarche))
    lu = lire_le_recapitulatif(demarche, dettes)
    disponibles = {dette.pk: dette.disponible for dette in dettes}
    contexte = {
        "autres": lu.autres,
        "ecarts": lu.ecarts,
        "lignes": lignes.dresser(
            (
                (ligne.dette, ligne.montant, disponibles.get(ligne.dette_id, ZERO) - ligne.montant)
                for ligne in lu.lignes
            ),
            None if lu.ecarts else lignes.dire_il_restera(),
        ),
        "retenue": retenue.calculer(dettes, {ligne.dette_id: ligne.montant for ligne in lu.lignes}),
        "empreinte": lu.empreinte,
        "plateforme": urlsplit(settings.PAYZEN_URL_FORMULAIRE).hostname,
    }
    return afficher(request, "recapitulatif", demarche, Etape.RECAPITULATIF, **contexte)


@page_du_parcours
def abandonner(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Demande de confirmer, puis efface la saisie. Reste possible quand le service est suspendu."""
    demarche = get_la_mienne(request, reference)
    if demarche.etat not in (Etat.BROUILLON, Etat.ABANDONNEE):
        return redirect("suivi:detail", reference)
    if request.method != "POST":
        retour = get_adresse(demarche, services.get_etape(demarche))
        return render(request, "demarches/abandonner.html", {"demarche": demarche, "retour": retour})
    try:
        services.abandonner(demarche)
    except services.DemarcheFigee:
        return redirect("suivi:detail", reference)
    frappe.oublier(request, *(get_adresse(demarche, numero) for numero in Etape))
    messages.success(request, ABANDON)
    return redirect("dettes:liste")
