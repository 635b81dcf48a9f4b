"""La feuille du jour, sous `/agents/feuille/`."""

from django.urls import path

from paiements.feuille import vues

app_name = "feuille"
urlpatterns = [
    path("", vues.choisir, name="choisir"),
    path("<str:caf>/<str:jour>/", vues.montrer, name="montrer"),
    path("<str:caf>/<str:jour>/clore/", vues.signer_ou_garder, name="clore"),
    path("<str:caf>/<str:jour>/feuille.csv", vues.exporter_csv, name="csv"),
    path("<str:caf>/<str:jour>/feuille.pdf", vues.exporter_pdf, name="pdf"),
]
