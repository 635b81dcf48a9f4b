"""La feuille du jour au bureau : choisir, lire, exporter, clore."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from comptes.models import Caf
from paiements.feuille.calcul import Feuille, calculer
from paiements.feuille.cloture import ClotureImpossible, clore
from paiements.feuille.sorties import get_contexte, rendre_csv, rendre_pdf
from paiements.models import JourClos
from socle import frappe
from socle.bornes import borner
from socle.bureau import can, consultation, get_agent, limiter
from socle.carte import MotifField
from socle.jours import JourField, lire_un_jour

Vue = Callable[..., HttpResponse]
JOURS_MONTRES = 14


class ChoixForm(forms.Form):
    """Quel jour regarder, dans quelle Caf."""

    caf = forms.ModelChoiceField(Caf.objects.none(), label="Caf")
    jour = JourField(label="Jour")


class ClotureForm(forms.Form):
    """Ce que la personne dit en signant."""

    motif = MotifField(label="Motif", max_length=200, widget=forms.TextInput(attrs={"size": 60}))


def de_la_caf(vue: Callable[[HttpRequest, Feuille], HttpResponse]) -> Vue:
    """Un agent de cette Caf, et un jour qui existe ; la feuille d'une autre est un 404."""

    @wraps(vue)
    def limitee(request: HttpRequest, caf: str, jour: str) -> HttpResponse:
        if not can(request, "regarder"):
            raise PermissionDenied
        sienne = limiter(Caf.objects.all(), request, "pk").filter(pk=caf).first()
        voulu = lire_un_jour(jour)
        if sienne is None or voulu is None:
            raise Http404
        return vue(request, calculer(sienne, voulu))

    return admin.site.admin_view(limitee)


@admin.site.admin_view
@require_safe
def choisir(request: HttpRequest) -> HttpResponse:
    """La Caf et le jour ; les derniers jours sont à un lien."""
    if not can(request, "regarder"):
        raise PermissionDenied
    cafs = limiter(Caf.objects.exclude(boutique=""), request, "pk").order_by("pk")
    formulaire = ChoixForm(request.GET or None, initial={"jour": timezone.localdate() - timedelta(days=1)})
    formulaire.fields["caf"].queryset = cafs  # type: ignore[attr-defined]
    if formulaire.is_bound and formulaire.is_valid():
        choix = formulaire.cleaned_data
        return redirect("feuille:montrer", choix["caf"].pk, choix["jour"].isoformat())
    jours = [timezone.localdate() - timedelta(days=recul) for recul in range(1, JOURS_MONTRES + 1)]
    contexte = {"title": "Feuille du jour", "form": formulaire, "cafs": cafs[:20], "jours": jours}
    return render(request, "feuille/choisir.html", admin.site.each_context(request) | contexte)


@borner("liste")
@de_la_caf
@require_safe
def montrer(request: HttpRequest, feuille: Feuille) -> HttpResponse:
    """La feuille, ses écarts, et qui l'a close."""
    consultation.send(JourClos, request=request, objet=None)
    gardee = frappe.lire(request)
    contexte = {
        "title": f"Feuille du {feuille.jour:%d/%m/%Y}, {feuille.caf}",
        "form": ClotureForm(initial=gardee["saisie"] if gardee else None),
        "is_garde": gardee is not None,
        "peut_clore": can(request, "clore_le_jour") and feuille.jour < timezone.localdate(),
        "hier": feuille.jour - timedelta(days=1),
        "demain": feuille.jour + timedelta(days=1),
    }
    page = admin.site.each_context(request) | get_contexte(feuille) | contexte
    return render(request, "feuille/feuille.html", page)


@login_not_required  # la porte commune renverrait se connecter sans rien garder : on passe avant elle
def signer_ou_garder(request: HttpRequest, caf: str, jour: str) -> HttpResponse:
    """Session finie, le motif attend sur la feuille, et rien n'est clos ; sinon, la porte du bureau."""
    if request.user.is_authenticated:
        return signer(request, caf, jour)
    return frappe.aller_se_connecter(request, reverse("feuille:montrer", args=[caf, jour]))


@de_la_caf
def signer(request: HttpRequest, feuille: Feuille) -> HttpResponse:
    """Clôt le jour au nom de l'agent ; qui revient de la connexion, ou recharge, arrive à la feuille."""
    if request.method == "POST":
        if not can(request, "clore_le_jour"):
            raise PermissionDenied
        _signer(request, feuille)
    return redirect(_get_adresse(feuille))


def _signer(request: HttpRequest, feuille: Feuille) -> None:
    formulaire, agent = ClotureForm(request.POST), cast("Any", get_agent(request))
    frappe.garder(request, _get_adresse(feuille), frappe.lire_envoi(request))
    if not formulaire.is_valid():
        messages.error(request, f"Rien n'a été clos. Motif : {formulaire.errors['motif'][0]}")
        return
    try:
        clore(feuille.caf, feuille.jour, motif=formulaire.cleaned_data["motif"], agent=agent.utilisateur)
    except ClotureImpossible as refus:
        messages.error(request, f"Rien n'a été clos : {refus}.")
    else:
        frappe.oublier(request, _get_adresse(feuille))
        messages.success(request, "Le jour est clos à votre nom.")


def _get_adresse(feuille: Feuille) -> str:
    return reverse("feuille:montrer", args=[feuille.caf.pk, feuille.jour.isoformat()])


@borner("liste")
@de_la_caf
@require_safe
def exporter_csv(request: HttpRequest, feuille: Feuille) -> HttpResponse:
    """La feuille pour un tableur ; qui l'a prise reste au journal."""
    consultation.send(JourClos, request=request, objet=None, is_export=True)
    return _joindre(feuille, "csv", rendre_csv(feuille), "text/csv; charset=utf-8")


@borner("pdf")
@de_la_caf
@require_safe
def exporter_pdf(request: HttpRequest, feuille: Feuille) -> HttpResponse:
    """La preuve, à garder ; qui l'a prise reste au journal."""
    consultation.send(JourClos, request=request, objet=None, is_export=True)
    return _joindre(feuille, "pdf", rendre_pdf(feuille), "application/pdf")


def _joindre(feuille: Feuille, forme: str, octets: bytes, genre: str) -> HttpResponse:
    nom = f"feuille_{feuille.caf.pk}_{feuille.jour:%Y%m%d}.{forme}"
    return HttpResponse(octets, content_type=genre, headers={"Content-Disposition": f'attachment; filename="{nom}"'})
