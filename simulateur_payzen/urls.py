"""Les adresses de la plateforme simulée."""

from django.urls import path

from . import pages, rest, sante

urlpatterns = [
    path("sante/", sante.repondre, name="sante"),
    path("vads-payment/", pages.recevoir, name="formulaire"),
    path("vads-payment/<str:jeton>/", pages.suivre, name="session"),
    path("vads-payment/<str:jeton>/annuler/", pages.annuler, name="annuler"),
    path("vads-payment/<str:jeton>/retour/", pages.repartir, name="retour"),
    path("api-payment/V4/<path:service>", rest.repondre, name="rest"),
]
