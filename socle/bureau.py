"""Le bureau des agents, ce qui sert à toutes ses fiches : la lecture limitée à ses Caf. Les boutons : `gestes.py`."""

from collections.abc import Iterable
from typing import Any, Protocol

from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import display_for_field, lookup_field, unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import CharField, JSONField, Q, QuerySet, TextField
from django.dispatch import Signal
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.text import capfirst

from socle.bornes import borner
from socle.carte import LUE_AU_PLUS, has_numero_de_carte
from socle.export import exporter


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


def get_codes(request: HttpRequest) -> list[str]:
    """Les codes des Caf que cette personne regarde : les siennes pour un agent, toutes pour un opérateur."""
    codes: list[str] = getattr(request.user, "codes", []) if request.user.is_active else []
    return codes


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
    if get_agent(request) is None:
        return objets.none()
    # Les codes eux-mêmes : la base sait alors qu'il n'y en a qu'un, et suit l'index de cette Caf.
    siens = Q(**{f"{chemin_caf}__in": get_codes(request)})
    return objets.filter(siens | Q(**{chemin_caf: None}) if sans_caf else siens)


# Ce qu'une liste sait comparer. Ni expression régulière ni début de mot : ce serait un autre champ de recherche, que
# rien ne borne, et de quoi lire lettre à lettre ce que la liste ne montre pas.
COMPARAISONS = ("exact", "in", "gt", "gte", "lt", "lte", "isnull", "isempty")

PAR_LOT = 500
TEXTES = (CharField, TextField, JSONField)

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


def _refuser_une_carte(request: HttpRequest, liste: str) -> HttpResponseRedirect | None:
    """Une recherche, un filtre, qui contient un numéro de carte ne se fait pas, ne se réaffiche ni ne se consigne."""
    if not any(has_numero_de_carte(str(valeur)[:LUE_AU_PLUS]) for valeur in request.GET.values()):
        return None
    messages.error(request, "Rien n'a été cherché : d'une carte, les quatre derniers chiffres suffisent.")
    return HttpResponseRedirect(liste)


class FicheAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # la classe n'est pas générique à l'exécution
    """Une liste du bureau et ses fiches : celle que cet agent n'a pas le droit de voir n'existe pas."""

    def get_urls(self) -> list[URLPattern]:
        nom = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.exporter), name=nom), *super().get_urls()]

    @method_decorator(borner("liste"))
    def exporter(self, request: HttpRequest) -> HttpResponseBase:
        """La liste en CSV, avec ses filtres ; qui l'a prise reste au journal."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if refus := _refuser_une_carte(request, "../"):
            return refus
        try:
            liste = self.get_changelist_instance(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup) as erreur:
            raise Http404 from erreur
        consultation.send(self.model, request=request, objet=None, is_export=True)
        return exporter(liste, request, str(self.opts.model_name))

    def parcourir(self, liste: ChangeList, request: HttpRequest) -> Iterable[Any]:
        """Toutes les lignes d'une liste filtrée, dans son ordre."""
        lignes: QuerySet[Any] = liste.queryset.order_by(*liste.get_ordering(request, liste.queryset))
        return lignes.iterator(PAR_LOT)

    @method_decorator(borner("liste"))
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if refus := _refuser_une_carte(request, request.path):
            return refus
        reponse: HttpResponse = super().changelist_view(request, extra_context)
        consultation.send(self.model, request=request, objet=None)
        return reponse

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Un texte que la liste ne montre pas ne se filtre pas : un mot de passe haché se devinerait par l'adresse."""
        champ, _, suite = lookup.partition("__")
        montres = {nom[0] if isinstance(nom, tuple) else nom for nom in (*self.list_filter, *self.list_display)}
        caches = {c.name for c in self.opts.concrete_fields if isinstance(c, TEXTES)} - montres
        comparaison = suite.rpartition("__")[2]
        if champ in caches or (comparaison and comparaison not in COMPARAISONS):
            return False
        return super().lookup_allowed(lookup, value, request)

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

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Une fiche ne montre que ce qu'elle sait : ni champ vide, ni tiret."""
        montres = []
        for titre, options in super().get_fieldsets(request, obj):
            if noms := [nom for nom in options["fields"] if not self._is_vide(request, nom, obj)]:
                montres.append((titre, {**options, "fields": noms}))
        return montres

    def _is_vide(self, request: HttpRequest, nom: Any, objet: Any) -> bool:
        """Un champ à remplir n'est pas un champ vide."""
        if objet is None or (self.has_change_permission(request, objet) and nom not in self.readonly_fields):
            return False
        champ, _, valeur = lookup_field(nom, objet, self)
        return (display_for_field(valeur, champ, "") if champ else valeur) in (None, "", "-")

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
