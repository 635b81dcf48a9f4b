"""Les pages du bureau qui ne sont la fiche de rien ; la porte est celle de l'admin."""

from django.contrib import admin
from django.urls import path

from paiements.bureau.imprimer import imprimer
from paiements.bureau.recherche import rechercher
from paiements.bureau.trace import lire_les_consultations, tracer

app_name = "bureau"
porte = admin.site.admin_view
urlpatterns = [
    path("recherche/", porte(rechercher), name="recherche"),
    path("trace/", porte(tracer), name="trace"),
    path(
        "comptes/allocataire/<int:pk>/consultations/",
        porte(lire_les_consultations),
        name="consultations",
    ),
    path("paiements/paiement/<int:pk>/imprimer/", porte(imprimer), name="imprimer"),
]
