"""Le bureau des agents : les fichiers échangés avec la Caf."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from dettes.importation.compte_rendu import raconter
from dettes.models import FichierEmis, FichierRecu, Plausibilite
from socle.bureau import FicheAdmin, OfficeAdmin
from socle.euros import ecrire_euros
from socle.liste import CafFilter


@admin.register(FichierRecu)
class FichierRecuAdmin(OfficeAdmin):
    list_display = ["caf", "sequence", "mode", "arrete_le", "somme", "pris_le"]
    list_filter = [CafFilter, "mode"]
    fields = readonly_fields = (
        *("caf", "sequence", "mode", "arrete_le", "pris_le", "somme"),
        *("derniere_sequence_encaissements", "recit", "empreinte"),
    )
    ordering = ["-pris_le"]
    list_select_related = ["caf"]

    @admin.display(description="somme des soldes", ordering="somme_soldes")
    def somme(self, fichier: FichierRecu) -> str:
        return ecrire_euros(fichier.somme_soldes)

    @admin.display(description="compte rendu")
    def recit(self, fichier: FichierRecu) -> SafeString | str:
        """Ce qu'a fait la livraison ; rien pour celle que la base a rendue sans son compte rendu."""
        if not fichier.compte_rendu:
            return ""
        phrases = ((capfirst(phrase),) for phrase in raconter(fichier.compte_rendu))
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", phrases))


@admin.register(FichierEmis)
class FichierEmisAdmin(OfficeAdmin):
    list_display = ["caf", "sequence", "lignes", "somme", "emis_le"]
    list_filter = [CafFilter]
    fields = readonly_fields = ("caf", "sequence", "emis_le", "lignes", "somme", "empreinte")
    ordering = ["-emis_le"]
    list_select_related = ["caf"]

    @admin.display(description="total", ordering="total")
    def somme(self, fichier: FichierEmis) -> str:
        return ecrire_euros(fichier.total)


@admin.register(Plausibilite)
class PlausibiliteAdmin(FicheAdmin):
    """Réservé à l'opérateur : ce qu'une livraison peut changer sans être confirmée."""

    list_display = ["caf", "disparitions", "total", "personnes", "mediane", "trop_percus"]
    ordering = ["caf"]
    list_select_related = ["caf"]

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False
