"""
Le bureau des agents, ce qui sert à toutes ses fiches : la lecture limitée à ses Caf, et les boutons.

On regarde ; ce que l'on peut faire est un bouton, qui demande un droit, un motif s'il en faut un, et appelle un
service.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.dispatch import Signal
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import localize
from django.utils.text import capfirst

from socle.bornes import borner
from socle.carte import LUE_AU_PLUS, MotifField, has_numero_de_carte


class Agent(Protocol):
    """Ce que le cadre demande à un agent : ses Caf, et s'il a un droit."""

    cafs: Any

    def can(self, droit: str) -> bool: ...


def get_agent(request: HttpRequest) -> Agent | None:
    """L'agent connecté ; None pour un opérateur ou un compte désactivé."""
    return getattr(request.user, "agent", None) if request.user.is_active else None


def can(request: HttpRequest, droit: str) -> bool:
    """Dit si le rôle de l'agent donne ce droit. L'opérateur regarde tout et ne fait rien à la place d'un agent."""
    if request.user.is_superuser:
        return droit in ("regarder", "lire_journal")
    agent = get_agent(request)
    return agent is not None and agent.can(droit)


def limiter(
    objets: QuerySet[Any], request: HttpRequest, chemin_caf: str = "caf", *, sans_caf: bool = False
) -> QuerySet[Any]:
    """
    Ceux des Caf de l'agent ; tous pour un opérateur, aucun pour qui n'est ni l'un ni l'autre.

    :param chemin_caf: du modèle à sa Caf, p. ex. « demarche__allocataire__caf »
    :param sans_caf: ce qui n'est à aucune Caf est à tous les agents
    """
    if request.user.is_superuser:
        return objets
    agent = get_agent(request)
    if agent is None:
        return objets.none()
    siens = Q(**{f"{chemin_caf}__in": agent.cafs.all()})
    return objets.filter(siens | Q(**{chemin_caf: None}) if sans_caf else siens)


# Qui a regardé quoi : émis avec la requête et l'objet d'une fiche (None pour une liste), après qu'elle s'est ouverte.
# L'app des comptes en tient le journal ; le cadre ne la connaît pas.
consultation = Signal()


class ReadonlyMixin:
    """Un agent regarde ; ce qu'il peut faire est un bouton qui appelle un service."""

    droit_de_regard = "regarder"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return can(request, self.droit_de_regard)

    def has_view_permission(self, request: HttpRequest, *_: object, **__: object) -> bool:
        return can(request, self.droit_de_regard)

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False


class JournalInline(ReadonlyMixin, admin.TabularInline):  # type: ignore[type-arg]  # sert à tous les modèles
    """Les lignes d'un journal, dans l'ordre où elles ont été écrites, sous la fiche ; rien s'il est vide."""

    template = "admin/journal.html"
    ordering = ("pk",)


class FicheAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # la classe n'est pas générique à l'exécution
    """Une liste du bureau et ses fiches : celle que cet agent n'a pas le droit de voir n'existe pas."""

    @method_decorator(borner("liste"))
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """La liste ; une recherche qui contient un numéro de carte ne se fait pas, et ne se réaffiche pas."""
        if any(has_numero_de_carte(str(valeur)[:LUE_AU_PLUS]) for valeur in request.GET.values()):
            messages.error(request, "Rien n'a été cherché : d'une carte, les quatre derniers chiffres suffisent.")
            return HttpResponseRedirect(request.path)
        reponse: HttpResponse = super().changelist_view(request, extra_context)
        consultation.send(self.model, request=request, objet=None)
        return reponse

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        reponse = super().changeform_view(request, object_id, *args, **kwargs)
        self._dire_la_consultation(request, object_id)
        return reponse

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        reponse = super().history_view(request, object_id, *args, **kwargs)
        self._dire_la_consultation(request, object_id)
        return reponse

    def _dire_la_consultation(self, request: HttpRequest, object_id: str | None) -> None:
        if object_id and request.method == "GET":
            consultation.send(self.model, request=request, objet=self.get_object(request, unquote(object_id)))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """:raises Http404: si l'objet n'est pas de ceux que voit cet agent"""
        objet = super().get_object(request, object_id, from_field)
        if objet is None:
            raise Http404
        return objet


class OfficeAdmin(ReadonlyMixin, FicheAdmin):
    """Une liste du bureau : en lecture, et seulement les dossiers des Caf de l'agent."""

    chemin_caf = "caf"
    sans_caf = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return limiter(super().get_queryset(request), request, self.chemin_caf, sans_caf=self.sans_caf)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        titre = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, titre | (extra_context or {}))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        titre = {"title": capfirst(self.opts.verbose_name)}
        return super().change_view(request, object_id, form_url, titre | (extra_context or {}))


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


class GestesAdmin(OfficeAdmin):
    """Une fiche en lecture, et ses boutons : seuls paraissent ceux que l'état et le rôle permettent."""

    boutons: ClassVar[list[Bouton]] = []
    change_form_template = "admin/geste.html"

    def get_urls(self) -> list[URLPattern]:
        geste = path("<str:pk>/geste/<str:nom>/", self.admin_site.admin_view(self.agir), name=self._nom_de_l_adresse())
        return [geste, *super().get_urls()]

    def _nom_de_l_adresse(self) -> str:
        return f"{self.opts.model_name}_geste"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        objet = self.get_object(request, object_id)
        gestes = [
            {
                "adresse": reverse(f"admin:{self._nom_de_l_adresse()}", args=[objet.pk, bouton.nom]),
                "texte": bouton.texte,
                "form": bouton.form(objet=objet, auto_id=f"{bouton.nom}_%s") if bouton.form else None,
            }
            for bouton in self.boutons
            if bouton.is_possible(objet) and can(request, bouton.droit)
        ]
        return super().change_view(request, object_id, form_url, {"gestes": gestes, **(extra_context or {})})

    def agir(self, request: HttpRequest, pk: str, nom: str) -> HttpResponse:
        """Un geste, sur un objet de l'agent : seulement par un bouton, seulement si son rôle le permet."""
        objet = self.get_object(request, pk)
        bouton = next((bouton for bouton in self.boutons if bouton.nom == nom), None)
        if bouton is None:
            raise Http404
        if request.method != "POST" or not can(request, bouton.droit):
            raise PermissionDenied
        self._faire(request, objet, bouton)
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[pk]))

    def _faire(self, request: HttpRequest, objet: Model, bouton: Bouton) -> None:
        form = bouton.form(request.POST, objet=objet) if bouton.form else None
        if form is not None and not form.is_valid():
            fautes = " ".join(f"{form[nom].label} : {erreurs[0]}" for nom, erreurs in form.errors.items())
            messages.error(request, f"Rien n'a été fait. {fautes}")
            return
        try:
            phrase = bouton.faire(objet, form.cleaned_data if form else {}, request.user)
        except bouton.refus as refus:
            messages.error(request, f"Ce geste n'est pas possible : {refus}.")
        else:
            self.log_change(request, objet, _tracer(bouton, form))
            messages.success(request, phrase)


def _tracer(bouton: Bouton, form: forms.Form | None) -> str:
    """Ce qui reste à l'historique de la fiche : le geste, et ce que l'agent a écrit."""
    return " : ".join(
        [bouton.texte, *(str(localize(valeur)) for valeur in (form.cleaned_data if form else {}).values() if valeur)]
    )
