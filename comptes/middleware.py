"""Ce que l'on vérifie d'une session à chaque page : son âge, et la porte du bureau."""

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from comptes import facteurs, sessions

Suite = Callable[[HttpRequest], HttpResponseBase]


class InactiviteMiddleware:
    """Ferme une session que personne n'a touchée depuis le délai de son compte, et continue sans elle."""

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if delai := sessions.get_delai_passe(request):
            logout(request)
            messages.info(
                request,
                gettext("Vous avez été déconnecté après {seconds} minutes sans activité.").format(
                    seconds=delai.seconds // 60
                ),
            )
        elif request.user.is_authenticated:
            sessions.noter_l_activite(request)
        return self.get_response(request)


class TwoFactorMiddleware:
    """Au bureau, une session donne d'abord la preuve d'un second facteur ; un agent sans facteur en ajoute un."""

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response
        self.bureau = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        agent_au_bureau = request.path.startswith(self.bureau) and request.user.is_staff
        if not agent_au_bureau or facteurs.is_prouve(request):
            return self.get_response(request)
        if not facteurs.get_facteurs(request.user).exists():
            return redirect("mfa_activate_totp")
        prouver = get_adapter().get_reauthentication_methods(request.user)[0]["url"]
        return redirect(f"{prouver}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}")
