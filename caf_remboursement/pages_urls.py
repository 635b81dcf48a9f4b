"""Adresses des pages d'à côté."""

from django.urls import path
from django.views.generic import RedirectView

from caf_remboursement import pages

app_name = "pages"

urlpatterns = [
    path("", pages.accueil, name="accueil"),
    path("accessibilite/", pages.accessibilite, name="accessibilite"),
    path("donnees-personnelles/", pages.donnees_personnelles, name="donnees_personnelles"),
    path("mentions-legales/", pages.mentions_legales, name="mentions_legales"),
    path("aide/", pages.aide, name="aide"),
    path("plan/", pages.plan, name="plan"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("robots.txt", pages.robots, name="robots"),
    # Là où les gestionnaires de mots de passe cherchent la page qui en change (W3C, change-password-url).
    path(".well-known/change-password", RedirectView.as_view(pattern_name="account_change_password")),
]
