"""Ce que django-allauth fait à notre façon : inscription fermée, et nos mots."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import reverse

from comptes import journal

FAUX = "L’identifiant ou le mot de passe est faux"
# La borne de ACCOUNT_RATE_LIMITS : un essai refusé d'avance ne prolonge pas l'attente.
TROP_D_ESSAIS = "Trop d’essais à la suite. Attendez cinq minutes, puis recommencez"


class Adaptateur(DefaultAccountAdapter):  # type: ignore[misc]  # allauth n'a pas de types
    """Les comptes sont ouverts par la Caf ; l'identifiant est celui de ses courriers, pas un pseudonyme."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # La même phrase que l'identifiant existe ou non : la page ne dit pas qui a un compte.
        "username_password_mismatch": FAUX,
        "invalid_login": FAUX,
        "too_many_login_attempts": TROP_D_ESSAIS,
        "rate_limited": TROP_D_ESSAIS,
        "incorrect_password": "Le mot de passe est faux",
        "enter_current_password": "Le mot de passe actuel est faux",
        "incorrect_code": "Le code est faux, ou a déjà servi",
        "username_taken": "Cet identifiant est déjà pris.",
    }

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            journal.consigner_un_blocage(journal.trouver(credentials.get("username", "")))
            raise

    def is_open_for_signup(self, _: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, _: HttpRequest) -> str:
        return resolve_url("comptes:mon_compte")

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Chacun chez soi : l'agent à son bureau, l'allocataire à son compte."""
        return reverse("admin:index" if request.user.is_staff else "comptes:mon_compte")
