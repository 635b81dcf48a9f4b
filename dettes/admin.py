"""Le bureau des agents : les fichiers échangés avec la Caf."""

from django.contrib import admin

from dettes.models import FichierEmis, FichierRecu, Plausibilite
from socle.bureau import FicheAdmin, OfficeAdmin
from socle.liste import CafFilter


@admin.register(FichierRecu)
class FichierRecuAdmin(OfficeAdmin):
    list_display = ["caf", "sequence", "mode", "arrete_le", "somme_soldes", "pris_le"]
    list_filter = [CafFilter, "mode"]
    ordering = ["-pris_le"]
    list_select_related = ["caf"]


@admin.register(FichierEmis)
class FichierEmisAdmin(OfficeAdmin):
    list_display = ["caf", "sequence", "lignes", "total", "emis_le"]
    list_filter = [CafFilter]
    ordering = ["-emis_le"]
    list_select_related = ["caf"]


@admin.register(Plausibilite)
class PlausibiliteAdmin(FicheAdmin):
    """Réservé à l'opérateur : ce qu'une livraison peut changer sans être confirmée."""

    list_display = ["caf", "disparitions", "total", "personnes", "mediane"]
    ordering = ["caf"]
    list_select_related = ["caf"]

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False
