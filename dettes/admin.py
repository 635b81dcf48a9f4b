"""Le bureau des agents : les fichiers échangés avec la Caf."""

from django.contrib import admin

from dettes.models import FichierEmis, FichierRecu
from socle.bureau import OfficeAdmin


@admin.register(FichierRecu)
class FichierRecuAdmin(OfficeAdmin):
    list_display = ["caf", "sequence", "mode", "arrete_le", "somme_soldes", "pris_le"]
    list_filter = [("caf", admin.RelatedOnlyFieldListFilter), "mode"]
    ordering = ["-pris_le"]
    list_select_related = ["caf"]


@admin.register(FichierEmis)
class FichierEmisAdmin(OfficeAdmin):
    list_display = ["caf", "sequence", "lignes", "total", "emis_le"]
    list_filter = [("caf", admin.RelatedOnlyFieldListFilter)]
    ordering = ["-emis_le"]
    list_select_related = ["caf"]
