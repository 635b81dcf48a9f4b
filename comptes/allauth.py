"""Ce que django-allauth fait à notre façon : inscription fermée, second facteur exigé, et nos mots."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from comptes import chiffrement, courriels, essais, facteurs, journal
from comptes.models import Utilisateur

FAUX = gettext_lazy("Nous ne reconnaissons pas cet identifiant avec ce mot de passe. Vérifiez les deux")
# Les bornes de ACCOUNT_RATE_LIMITS.
TROP_D_ESSAIS = gettext_lazy(
    "Trop d’essais à la suite. Attendez cinq minutes, puis recommencez\u00a0; l’attente s’allonge si les essais"
    " continuent"
)


class Adaptateur(DefaultAccountAdapter):  # type: ignore[misc]  # allauth n'a pas de types
    """Les comptes sont ouverts par la Caf ; l'identifiant est celui de ses courriers, pas un pseudonyme."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # La même phrase que l'identifiant existe ou non : la page ne dit pas qui a un compte.
        "username_password_mismatch": FAUX,
        "invalid_login": FAUX,
        "too_many_login_attempts": TROP_D_ESSAIS,
        "rate_limited": TROP_D_ESSAIS,
        "incorrect_password": gettext_lazy("Le mot de passe est faux"),
        "enter_current_password": gettext_lazy("Le mot de passe actuel est faux"),
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

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return essais.get_cle(request, credentials["username"])

    def pre_login(self, request: HttpRequest, user: Utilisateur, **options: Any) -> HttpResponse | None:
        """Un agent sans second facteur n'entre pas par le mot de passe seul : il lui faut un code de l'exploitant."""
        attend_un_code = user.is_staff and user.is_active and not facteurs.get_facteurs(user).exists()
        if attend_un_code and not facteurs.has_donne_le_code(request, user):
            return redirect("comptes:sans_facteur")
        refus: HttpResponse | None = super().pre_login(request, user, **options)
        return refus

    def get_reauthentication_methods(self, user: Utilisateur) -> list[dict[str, str]]:
        """
        Par quoi confirmer que c'est bien soi.

        Qui a un second facteur le donne, jamais le mot de passe seul ; un agent qui n'en a pas encore doit être entré
        par le code de l'exploitant.
        """
        manieres: list[dict[str, str]] = super().get_reauthentication_methods(user)
        par_facteur = [maniere for maniere in manieres if maniere["id"] != "reauthenticate"]
        if par_facteur:
            return par_facteur
        if user.is_authenticated and user.is_staff and not facteurs.has_donne_le_code(self.request, user):
            adresse = reverse("comptes:sans_facteur")
            return [{"id": "sans_facteur", "description": gettext("Demander un code à l’exploitant"), "url": adresse}]
        if not manieres and settings.FRANCECONNECT_EMETTEUR:
            adresse = reverse("comptes:franceconnect")
            return [
                {"id": "franceconnect", "description": gettext("Passer de nouveau par FranceConnect"), "url": adresse}
            ]
        return manieres

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        from comptes.franceconnect_vues import finir

        return finir(request, super().get_logout_redirect_url(request))

    def send_notification_mail(self, template_prefix: str, user: Utilisateur, *_: object, **__: object) -> None:
        courriels.prevenir(user, template_prefix, self.get_client_ip(self.request))

    def get_password_change_redirect_url(self, _: HttpRequest) -> str:
        return resolve_url("comptes:mon_compte")

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Chacun chez soi : l'agent à son bureau, l'allocataire à son compte."""
        return reverse("admin:index" if request.user.is_staff else "comptes:mon_compte")


class AdaptateurDeFacteurs(DefaultMFAAdapter):  # type: ignore[misc]  # allauth n'a pas de types
    """Les secrets des seconds facteurs ne se lisent pas en base ; un code refusé dit pourquoi."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy(
            "Nous n’avons reconnu ni code ni clé. Recommencez, avec le code affiché à l’instant"
        ),
        "code_deja_servi": gettext_lazy("Ce code a déjà servi\u00a0: attendez que l’application montre le suivant"),
    }

    def encrypt(self, text: str) -> str:
        return chiffrement.chiffrer(text)

    def decrypt(self, encrypted_text: str) -> str:
        return chiffrement.dechiffrer(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": settings.MFA_TOTP_ISSUER}
