"""
Les seules pages d'allauth que l'on ouvre, à des adresses françaises, sous les noms qu'allauth attend.

Ni inscription, ni gestion de courriels : ce qui n'est pas ici n'existe pas.
"""

from allauth.account import views as compte
from allauth.mfa.base import views as double
from allauth.mfa.recovery_codes import views as secours
from allauth.mfa.totp import views as totp
from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.generic import TemplateView

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
    path("compte/confirmation/", compte.reauthenticate, name="account_reauthenticate"),
    path("compte/mot-de-passe/", compte.password_change, name="account_change_password"),
    path(DOUBLE, double.index, name="mfa_index"),
    path(f"{DOUBLE}code/", double.authenticate, name="mfa_authenticate"),
    path(f"{DOUBLE}confirmation/", double.reauthenticate, name="mfa_reauthenticate"),
    path(f"{DOUBLE}activer/", totp.activate_totp, name="mfa_activate_totp"),
    path(f"{DOUBLE}desactiver/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path(f"{DOUBLE}codes-de-secours/", secours.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(f"{DOUBLE}codes-de-secours/creer/", secours.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path(
        f"{DOUBLE}codes-de-secours/telecharger/",
        secours.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
]
