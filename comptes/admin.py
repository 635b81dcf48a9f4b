"""Le bureau des agents : on regarde, dans ses Caf seulement ; un geste est un bouton qui appelle un service."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse

from comptes import services
from comptes.models import Agent, Allocataire, Caf, Utilisateur
from comptes.roles import Geste

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # la manière d'allauth
admin.site.site_header = "Rembourser ma Caf : bureau des agents"
admin.site.site_title = "Bureau des agents"
admin.site.index_title = "Les dossiers de vos Caf"


def get_agent(request: HttpRequest) -> Agent | None:
    """L'agent connecté ; None pour un opérateur ou un compte désactivé."""
    return getattr(request.user, "agent", None) if request.user.is_active else None


def can(request: HttpRequest, geste: Geste) -> bool:
    """Dit si le rôle de l'agent permet ce geste. L'opérateur regarde tout et ne fait rien à la place d'un agent."""
    if request.user.is_superuser:
        return geste == "regarder"
    agent = get_agent(request)
    return agent is not None and agent.can(geste)


class ReadonlyMixin:
    """Un agent regarde ; ce qu'il peut faire est un bouton qui appelle un service."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return can(request, "regarder")

    def has_view_permission(self, request: HttpRequest, *_: object) -> bool:
        return can(request, "regarder")

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_change_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False


class OfficeAdmin(ReadonlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]  # la classe n'est pas générique à l'exécution
    """Une liste du bureau : en lecture, et seulement les dossiers des Caf de l'agent."""

    chemin_caf = "caf"  # du modèle à sa Caf, p. ex. « demarche__allocataire__caf »

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        objets = super().get_queryset(request)
        if request.user.is_superuser:
            return objets
        agent = get_agent(request)
        return objets.filter(**{f"{self.chemin_caf}__in": agent.cafs.all()}) if agent else objets.none()

    @staticmethod
    def can(request: HttpRequest, geste: Geste) -> bool:
        return can(request, geste)


class SuspensionForm(forms.Form):
    message = forms.CharField(
        label="Ce que liront les allocataires", max_length=500, widget=forms.Textarea(attrs={"rows": 3, "cols": 30})
    )
    retour_prevu_le = forms.DateField(
        label="Retour prévu le", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


@admin.register(Caf)
class CafAdmin(OfficeAdmin):
    chemin_caf = "pk"
    list_display = ["code", "nom", "departement", "boutique", "seuil_controle", "ouverte"]
    list_filter = ["ouverte"]
    search_fields = ["=code", "nom"]
    ordering = ["code"]
    change_form_template = "admin/geste.html"

    def get_urls(self) -> list[URLPattern]:
        gestes = [
            path("<str:code>/suspendre/", self.admin_site.admin_view(self.suspendre), name="caf_suspendre"),
            path("<str:code>/rouvrir/", self.admin_site.admin_view(self.rouvrir), name="caf_rouvrir"),
        ]
        return gestes + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        caf = self.get_object(request, object_id)
        gestes: list[dict[str, object]] = []
        if caf and can(request, "suspendre_service"):
            if caf.ouverte:
                adresse = reverse("admin:caf_suspendre", args=[caf.pk])
                gestes = [{"adresse": adresse, "texte": "Suspendre le service", "form": SuspensionForm()}]
            else:
                gestes = [{"adresse": reverse("admin:caf_rouvrir", args=[caf.pk]), "texte": "Rouvrir le service"}]
        return super().change_view(request, object_id, form_url, {"gestes": gestes, **(extra_context or {})})

    def suspendre(self, request: HttpRequest, code: str) -> HttpResponse:
        """Arrête les paiements en ligne, avec le message que liront les allocataires."""
        caf, auteur = self._exiger(request, code)
        form = SuspensionForm(request.POST)
        if form.is_valid():
            services.suspendre(caf, **form.cleaned_data, auteur=auteur)
            self.log_change(request, caf, f"Service suspendu : {caf.message_suspension}")
            messages.success(request, "Le service est suspendu.")
        else:
            messages.error(request, "Dites aux allocataires pourquoi le service est suspendu.")
        return redirect("admin:comptes_caf_change", caf.pk)

    def rouvrir(self, request: HttpRequest, code: str) -> HttpResponse:
        """Reprend les paiements en ligne."""
        caf, auteur = self._exiger(request, code)
        services.rouvrir(caf, auteur)
        self.log_change(request, caf, "Service rouvert")
        messages.success(request, "Le service est rouvert.")
        return redirect("admin:comptes_caf_change", caf.pk)

    def _exiger(self, request: HttpRequest, code: str) -> tuple[Caf, Utilisateur]:
        """La Caf, parmi celles de l'agent, et lui ; seulement par un bouton, et seulement s'il en est responsable."""
        caf: Caf = get_object_or_404(self.get_queryset(request), pk=code)
        agent = get_agent(request)
        if request.method != "POST" or agent is None or not agent.can("suspendre_service"):
            raise PermissionDenied
        return caf, agent.utilisateur


@admin.register(Allocataire)
class AllocataireAdmin(OfficeAdmin):
    list_display = ["numero", "caf", "nom", "prenom", "radie_le"]
    list_filter = [("radie_le", admin.EmptyFieldListFilter)]
    search_fields = ["=numero"]
    search_help_text = "Le numéro allocataire, en entier."
    ordering = ["caf", "numero"]
    list_select_related = ["caf"]
    show_full_result_count = False


@admin.register(Utilisateur)
class UtilisateurAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # la classe n'est pas générique à l'exécution
    """Réservé à l'opérateur : aucun agent n'a ces permissions."""

    list_display = ["identifiant", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["=identifiant"]
    ordering = ["identifiant"]
    fields = ["identifiant", "allocataire", "is_staff", "cree_le", "last_login", "is_active"]
    readonly_fields = ["identifiant", "allocataire", "is_staff", "cree_le", "last_login"]
    show_full_result_count = False

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False


@admin.register(Agent)
class AgentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # la classe n'est pas générique à l'exécution
    """Réservé à l'opérateur. Un agent se crée par `manage.py creer_agent`."""

    list_display = ["utilisateur", "role"]
    list_filter = ["role"]
    search_fields = ["=utilisateur__identifiant"]
    ordering = ["utilisateur__identifiant"]
    readonly_fields = ["utilisateur"]
    filter_horizontal = ["cafs"]

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False
