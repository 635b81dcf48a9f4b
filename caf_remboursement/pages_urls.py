"""Adresses des pages d'à côté."""

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
    path("langue/", pages.langue, name="langue"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("robots.txt", pages.robots, name="robots"),
    path(".well-known/security.txt", pages.securite, name="securite"),
]
