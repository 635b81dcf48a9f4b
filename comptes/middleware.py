"""La porte du bureau des agents."""

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

Suite = Callable[[HttpRequest], HttpResponseBase]


class TwoFactorMiddleware:
    """Un agent sans double authentification l'active avant de voir une page de son bureau."""

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response
        self.bureau = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        agent_au_bureau = request.path.startswith(self.bureau) and request.user.is_staff
        if agent_au_bureau and not is_mfa_enabled(request.user, [Authenticator.Type.TOTP]):
            return redirect("mfa_activate_totp")
        return self.get_response(request)
