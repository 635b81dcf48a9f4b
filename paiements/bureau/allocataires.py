"""Les allocataires des Caf de l'agent, et la page de chacun."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from comptes.models import Allocataire
from paiements.bureau import dossier
from paiements.bureau.recherche import ChercheAdmin
from socle.liste import CafFilter, LongueListeAdmin


class RadiationFilter(admin.SimpleListFilter):
    """Ceux que la Caf a radiés, ou les autres."""

    title = "radiation"
    parameter_name = "radie_le__isempty"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Suivis par la Caf"), ("0", "Radiés")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Allocataire]) -> QuerySet[Allocataire]:
        choisi = self.value() in ("0", "1")
        return queryset.filter(radie_le__isnull=self.value() == "1") if choisi else queryset


@admin.register(Allocataire)
class AllocataireAdmin(ChercheAdmin, LongueListeAdmin):
    change_form_template = "admin/allocataire.html"
    list_display = ["numero", "caf", "nom", "prenom", "date_naissance", "radie_le"]
    list_filter = [CafFilter, RadiationFilter]
    list_display_links = ["numero", "nom"]
    tri = ["caf", "numero"]
    list_select_related = ["caf"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Une page par allocataire, à la place d'un formulaire."""
        allocataire = self.get_object(request, object_id)
        page = {"title": allocataire.nom_complet, "allocataire": allocataire, **dossier.ouvrir(allocataire, request)}
        return super().change_view(request, object_id, form_url, {**page, **(extra_context or {})})
