"""
La double authentification d'une session : ce qu'elle a prouvé elle-même, et non ce que son compte possède.

Un agent sans second facteur n'en ajoute un premier que dans la session ouverte avec un code de l'exploitant.
"""

from typing import Any

from allauth.account.authentication import get_authentication_records

# Allauth ne l'expose pas autrement ; c'est la seule écriture que nous fassions dans son registre.
from allauth.account.internal.flows.login import record_authentication
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest

from comptes import sessions
from comptes.models import Utilisateur

CODE = "code_d_activation"


def get_facteurs(utilisateur: Utilisateur | AnonymousUser) -> "QuerySet[Authenticator]":
    """Applications et clés de sécurité ; les codes de secours les remplacent, et n'en sont pas."""
    facteurs: QuerySet[Authenticator] = Authenticator.objects.filter(user=utilisateur.pk)
    return facteurs.exclude(type=Authenticator.Type.RECOVERY_CODES)


def is_prouve(request: HttpRequest) -> bool:
    """Dit si cette session a donné la preuve d'un facteur que le compte a toujours."""
    preuves = [acte["id"] for acte in _lire(request, request.user) if acte["method"] == "mfa"]
    return bool(Authenticator.objects.filter(user=request.user.pk, pk__in=preuves).exists())


def noter_le_code(request: HttpRequest, utilisateur: Utilisateur) -> None:
    """Retient que cette session s'est ouverte par un code reçu de la Caf ou de l'exploitant."""
    record_authentication(request, utilisateur, CODE, reauthenticated=True)


def has_donne_le_code(request: HttpRequest, utilisateur: Utilisateur) -> bool:
    return any(acte["method"] == CODE for acte in _lire(request, utilisateur))


@receiver(authenticator_added)
def garder_la_session_qui_ajoute(request: HttpRequest, user: Utilisateur, authenticator: Any, **_: object) -> None:
    """Un facteur ajouté est une preuve pour cette session, et la fin de toutes les autres."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        return
    sessions.fermer(user, sauf=request.session.session_key or "")
    record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True)


def has_servi(utilisateur: Utilisateur, code: str) -> bool:
    """Dit si ce code a déjà été accepté pour ce compte, depuis moins de temps qu'il n'en vaut."""
    return bool(cache.get(_get_cle(utilisateur, code)))


def noter_qu_il_a_servi(utilisateur: Utilisateur, code: str) -> None:
    """Retient un code accepté, tant qu'une horloge en avance ou en retard le ferait encore valoir."""
    cache.set(_get_cle(utilisateur, code), True, mfa.TOTP_PERIOD * (2 * mfa.TOTP_TOLERANCE + 1))


def _get_cle(utilisateur: Utilisateur, code: str) -> str:
    # Comme allauth les compare : « 123 456 » est le même code que « 123456 ».
    return f"code:{utilisateur.pk}:{normalize_user_code(code)}"


def _lire(request: HttpRequest, utilisateur: Any) -> list[dict[str, Any]]:
    actes: list[dict[str, Any]] = get_authentication_records(request, utilisateur)
    return actes
