"""Adresses des pages d'à côté, et de la page de développement des composants."""

from django.conf import settings
from django.urls import path

from caf_remboursement import pages

app_name = "pages"

urlpatterns = [
    path("", pages.accueil, name="accueil"),
    path("accessibilite/", pages.accessibilite, name="accessibilite"),
    path("donnees-personnelles/", pages.donnees_personnelles, name="donnees_personnelles"),
    path("mentions-legales/", pages.mentions_legales, name="mentions_legales"),
    path("aide/", pages.aide, name="aide"),
    path("plan/", pages.plan, name="plan"),
    path(".well-known/security.txt", pages.securite, name="securite"),
    path(".well-known/change-password", pages.changer_de_mot_de_passe, name="changer_de_mot_de_passe"),
]

if settings.DEBUG:
    urlpatterns.append(path("composants/", pages.composants, name="composants"))
