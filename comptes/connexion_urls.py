"""
Les seules pages d'allauth que l'on ouvre, à des adresses françaises, sous les noms qu'allauth attend.

Ni inscription, ni gestion de courriels : ce qui n'est pas ici n'existe pas.
"""

from allauth.account import views as compte
from allauth.mfa.base import views as double
from allauth.mfa.recovery_codes import views as secours
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as cles
from allauth.usersessions import views as sessions
from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.generic import RedirectView, TemplateView

DOUBLE = "compte/double-authentification/"

urlpatterns = [
    path("connexion/", compte.login, name="account_login"),
    path("deconnexion/", compte.logout, name="account_logout"),
    path("compte-ferme/", compte.account_inactive, name="account_inactive"),
    # On n'a pas toujours de courriel : la page renvoie au code reçu par la poste.
    path(
        "mot-de-passe-oublie/",
        login_not_required(TemplateView.as_view(template_name="account/password_reset.html")),
        name="account_reset_password",
    ),
    # L'adresse convenue où les gestionnaires de mots de passe envoient pour en changer (W3C).
    path(
        ".well-known/change-password",
        login_not_required(RedirectView.as_view(pattern_name="account_change_password")),
        name="changer_de_mot_de_passe",
    ),
    path("compte/sessions/", sessions.list_usersessions, name="usersessions_list"),
    path("compte/confirmation/", compte.reauthenticate, name="account_reauthenticate"),
    path("compte/mot-de-passe/", compte.password_change, name="account_change_password"),
    # Entré par FranceConnect sans avoir jamais eu de mot de passe : il s'en choisit un par le code de la Caf.
    path(
        "compte/mot-de-passe/choisir/",
        RedirectView.as_view(pattern_name="account_reset_password"),
        name="account_set_password",
    ),
    path(DOUBLE, double.index, name="mfa_index"),
    path(f"{DOUBLE}code/", double.authenticate, name="mfa_authenticate"),
    path(f"{DOUBLE}confirmation/", double.reauthenticate, name="mfa_reauthenticate"),
    path(f"{DOUBLE}activer/", totp.activate_totp, name="mfa_activate_totp"),
    path(f"{DOUBLE}desactiver/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path(f"{DOUBLE}codes-de-secours/", secours.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(f"{DOUBLE}codes-de-secours/creer/", secours.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path(f"{DOUBLE}cles/", cles.list_webauthn, name="mfa_list_webauthn"),
    path(f"{DOUBLE}cles/ajouter/", cles.add_webauthn, name="mfa_add_webauthn"),
    path(f"{DOUBLE}cles/confirmation/", cles.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path(f"{DOUBLE}cles/<int:pk>/retirer/", cles.remove_webauthn, name="mfa_remove_webauthn"),
]
