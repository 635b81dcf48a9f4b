"""
Les gestes du bureau : un bouton chacun, qui demande un droit, un motif s'il en faut un, et appelle un service.

Ce qui est tapé ne se perd pas : ni par une faute, ni par une session qui finit (docs/adr/0033).
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import localize

from socle import frappe
from socle.bureau import OfficeAdmin, can
from socle.carte import MotifField
from socle.euros import ecrire_euros

# Assez large pour relire ce qu'on écrit.
MOTIF = forms.TextInput(attrs={"size": 60})


class GesteForm(forms.Form):
    """Ce qu'un geste demande à l'agent ; un formulaire peut dépendre de l'objet dont parle la fiche."""

    def __init__(self, *args: Any, objet: Model, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class MotifForm(GesteForm):
    """Aucun geste sans motif : il reste au journal."""

    motif = MotifField(label="Motif", max_length=200, widget=MOTIF)


class Bouton(NamedTuple):
    """
    Un geste d'agent.

    `tus` : les champs que l'historique ne redit pas, parce qu'ils parlent d'une personne (une adresse).

    `faire` reçoit l'objet, les valeurs du formulaire et l'agent ; il rend la phrase à montrer. Les exceptions de
    `refus` disent pourquoi le geste n'est plus possible : elles se montrent telles quelles.
    """

    nom: str
    texte: str
    droit: str
    is_possible: Callable[[Any], bool]
    faire: Callable[[Any, dict[str, Any], Any], str]
    refus: tuple[type[Exception], ...] = ()
    form: type[GesteForm] | None = MotifForm
    tus: tuple[str, ...] = ()


class GestesAdmin(OfficeAdmin):
    """Une fiche en lecture, et ses boutons : seuls paraissent ceux que l'état et le rôle permettent."""

    boutons: ClassVar[list[Bouton]] = []
    change_form_template = "admin/geste.html"

    def get_urls(self) -> list[URLPattern]:
        geste = path("<str:pk>/geste/<str:nom>/", self.agir_ou_garder, name=self._nom_de_l_adresse())
        return [geste, *super().get_urls()]

    @login_not_required  # la porte commune renverrait se connecter sans rien garder : on passe avant elle
    def agir_ou_garder(self, request: HttpRequest, pk: str, nom: str) -> HttpResponse:
        """Session finie, ce qui était tapé attend sur la fiche, et rien n'est fait ; sinon, la porte du bureau."""
        if request.user.is_authenticated:
            reponse: HttpResponse = self.admin_site.admin_view(self.agir)(request, pk=pk, nom=nom)
            return reponse
        return frappe.aller_se_connecter(request, self._get_fiche(pk), nom)

    def _get_fiche(self, pk: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[pk])

    def _nom_de_l_adresse(self) -> str:
        return f"{self.opts.model_name}_geste"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        objet = self.get_object(request, object_id)
        gardee = frappe.lire(request)
        gestes = [
            self._presenter(bouton, objet, gardee if gardee and gardee["faire"] == bouton.nom else None)
            for bouton in self.boutons
            if bouton.is_possible(objet) and can(request, bouton.droit)
        ]
        return super().change_view(request, object_id, form_url, {"gestes": gestes, **(extra_context or {})})

    def _presenter(self, bouton: Bouton, objet: Model, gardee: frappe.Frappe | None) -> dict[str, Any]:
        repris = {"initial": gardee["saisie"]} if gardee else {}
        return {
            "adresse": reverse(f"admin:{self._nom_de_l_adresse()}", args=[objet.pk, bouton.nom]),
            "texte": bouton.texte,
            "form": bouton.form(objet=objet, auto_id=f"{bouton.nom}_%s", **repris) if bouton.form else None,
            "is_garde": gardee is not None,
        }

    def agir(self, request: HttpRequest, pk: str, nom: str) -> HttpResponse:
        """Un geste, sur un objet de l'agent : seulement par un bouton, seulement si son rôle le permet."""
        objet = self.get_object(request, pk)
        bouton = next((bouton for bouton in self.boutons if bouton.nom == nom), None)
        if bouton is None:
            raise Http404
        # Qui revient de la connexion, ou recharge, arrive à la fiche : un geste ne se fait que par son bouton.
        if request.method == "POST":
            if not can(request, bouton.droit):
                raise PermissionDenied
            self._faire(request, objet, bouton)
        return HttpResponseRedirect(self._get_fiche(pk))

    def _faire(self, request: HttpRequest, objet: Model, bouton: Bouton) -> None:
        form = bouton.form(request.POST, objet=objet) if bouton.form else None
        if form is not None and not form.is_valid():
            fautes = " ".join(f"{form[nom].label} : {erreurs[0]}" for nom, erreurs in form.errors.items())
            messages.error(request, f"Rien n'a été fait. {fautes}")
            frappe.garder(request, self._get_fiche(str(objet.pk)), {**frappe.lire_envoi(request), "faire": bouton.nom})
            return
        try:
            phrase = bouton.faire(objet, form.cleaned_data if form else {}, request.user)
        except bouton.refus as refus:
            messages.error(request, f"Ce geste n'est pas possible : {refus}.")
            frappe.garder(request, self._get_fiche(str(objet.pk)), {**frappe.lire_envoi(request), "faire": bouton.nom})
        else:
            frappe.oublier(request, self._get_fiche(str(objet.pk)))
            self.log_change(request, objet, _tracer(bouton, form))
            messages.success(request, phrase)


def _tracer(bouton: Bouton, form: forms.Form | None) -> str:
    """Ce qui reste à l'historique de la fiche : le geste, et ce que l'agent a écrit."""
    donnees = form.cleaned_data.items() if form else ()
    dites = (_dire(valeur) for nom, valeur in donnees if valeur and nom not in bouton.tus)
    return " : ".join([bouton.texte, *dites])


def _dire(valeur: object) -> str:
    return ecrire_euros(valeur) if isinstance(valeur, Decimal) else str(localize(valeur))
