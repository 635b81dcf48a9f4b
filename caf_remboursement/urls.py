"""Toutes les adresses du service, app par app."""

from django.contrib import admin
from django.urls import include, path

from caf_remboursement.sante import pret, sante, vie

# Allauth l'appelle quand une borne est atteinte, les siennes et les nôtres.
handler429 = "caf_remboursement.pages.trop_de_demandes"
handler400 = "caf_remboursement.pages.demande_refusee"
handler500 = "caf_remboursement.pages.panne"

urlpatterns = [
    path("", include("caf_remboursement.pages_urls")),
    path("", include("comptes.connexion_urls")),
    path("", include("comptes.urls")),
    path("mon-compte/dettes/", include("dettes.urls")),
    path("", include("demarches.urls")),
    path("mon-compte/demarches/", include("paiements.suivi.urls")),
    path("paiements/", include("paiements.urls")),
    path("agents/feuille/", include("paiements.feuille.urls")),
    path("agents/", include("paiements.bureau.urls")),
    path("agents/", admin.site.urls),
    path("sante/", sante, name="sante"),
    path("sante/vie/", vie, name="vie"),
    path("sante/pret/", pret, name="pret"),
]
