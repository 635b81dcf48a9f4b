"""Les allocataires des Caf de l'agent, et la page de chacun."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from comptes.models import Allocataire
from paiements.bureau import dossier
from paiements.bureau.recherche import ChercheAdmin
from socle.liste import CafFilter, LongueListeAdmin


@admin.register(Allocataire)
class AllocataireAdmin(ChercheAdmin, LongueListeAdmin):
    change_form_template = "admin/allocataire.html"
    list_display = ["numero", "caf", "nom", "prenom", "date_naissance", "radie_le"]
    list_filter = [CafFilter, ("radie_le", admin.EmptyFieldListFilter)]
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
