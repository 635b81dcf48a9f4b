"""Le bureau des agents : les dettes avec leurs mouvements, les fichiers échangés avec la Caf."""

from django.contrib import admin

from dettes.models import Dette, FichierEmis, FichierRecu, Mouvement
from socle.bureau import JournalInline, OfficeAdmin


class MouvementInline(JournalInline):
    model = Mouvement
    fields = readonly_fields = ("le", "genre", "montant", "solde_apres", "origine", "motif")


@admin.register(Dette)
class DetteAdmin(OfficeAdmin):
    list_display = ["reference", "libelle", "solde", "montant_initial", "situation", "phase", "caf"]
    list_filter = ["situation", "phase", "nature", ("caf", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["reference", "allocataire__numero"]
    search_help_text = "Référence de la dette, numéro allocataire."
    ordering = ["-pk"]
    list_select_related = ["caf"]
    inlines = [MouvementInline]


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
