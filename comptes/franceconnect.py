"""
FranceConnect, en option : une identité prouvée ailleurs ouvre le dossier que la Caf lui a rattaché (docs/adr/0052).

Éteint tant que `FRANCECONNECT_EMETTEUR` est vide. Rien de l'identité reçue ne se garde : on en calcule l'empreinte, on
cherche le dossier qui la porte, et on l'oublie.
"""

from typing import Any

import requests
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import SuspiciousOperation
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import import_from_settings

from comptes import identite
from comptes.models import Allocataire, Utilisateur

JETON = "franceconnect_jeton"
UNE_HEURE = 60 * 60
# Les adresses de la plateforme sont les siennes : elle les publie (OpenID Connect Discovery).
DECOUVERTS = {
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization_endpoint",
    "OIDC_OP_TOKEN_ENDPOINT": "token_endpoint",
    "OIDC_OP_USER_ENDPOINT": "userinfo_endpoint",
    "OIDC_OP_JWKS_ENDPOINT": "jwks_uri",
}


class AucunDossier(Exception):
    """Aucune Caf n'a rattaché cette identité à un dossier ouvert ici."""


class PlusieursDossiers(Exception):
    """Cette identité a un dossier dans plusieurs Caf : la personne seule sait lequel elle veut ouvrir."""

    def __init__(self, cafs: list[str]) -> None:
        super().__init__("plusieurs dossiers")
        self.cafs = cafs


class ReglagesMixin:
    """Les réglages de la bibliothèque ; les adresses viennent de la plateforme."""

    @staticmethod
    def get_settings(nom: str, *defaut: object) -> Any:
        if nom in DECOUVERTS:
            return decouvrir()[DECOUVERTS[nom]]
        return import_from_settings(nom, *defaut)


class Plateforme(ReglagesMixin, OIDCAuthenticationBackend):  # type: ignore[misc]  # la bibliothèque n'a pas de types
    """La bibliothèque échange le code et vérifie signature, nonce et durée ; nous, de qui et pour qui est le jeton."""

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """:raises SuspiciousOperation: si le jeton n'est pas de la plateforme, ou pas pour nous"""
        jeton: dict[str, Any] = super().verify_token(token, **kwargs)
        publics = jeton.get("aud", [])
        if jeton.get("iss") != settings.FRANCECONNECT_EMETTEUR:
            raise SuspiciousOperation("jeton d'un autre émetteur")
        if settings.OIDC_RP_CLIENT_ID not in ([publics] if isinstance(publics, str) else publics):
            raise SuspiciousOperation("jeton pour un autre service")
        return jeton

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> Utilisateur:
        """
        Le compte du dossier que porte cette identité. N'en crée jamais.

        :raises AucunDossier: si aucun dossier ne la porte
        :raises PlusieursDossiers: si plusieurs la portent
        :raises SuspiciousOperation: si l'identité n'est pas celle du jeton, ou trop faiblement prouvée
        """
        if payload.get("acr") not in settings.FRANCECONNECT_NIVEAUX:
            raise SuspiciousOperation("niveau de garantie trop faible")
        donnees = self.get_userinfo(access_token, id_token, payload)
        if donnees.get("sub") != payload.get("sub"):
            raise SuspiciousOperation("l'identité n'est pas celle du jeton")
        self.request.session[JETON] = id_token
        return trouver(donnees)


def trouver(donnees: dict[str, Any]) -> Utilisateur:
    """
    Le compte de l'unique dossier qui porte cette identité pivot.

    :raises AucunDossier: s'il n'y en a pas
    :raises PlusieursDossiers: s'il y en a plusieurs
    """
    empreinte = identite.calculer(donnees, settings.FRANCECONNECT_CLE)
    dossiers = list(Allocataire.objects.filter(identite=empreinte).select_related("caf")) if empreinte else []
    if len(dossiers) > 1:
        raise PlusieursDossiers(sorted(dossier.caf.nom for dossier in dossiers))
    # Le compte de la personne responsable du dossier : son conjoint a le sien, et n'est pas cette identité.
    identifiants = [f"{dossier.caf_id}{dossier.numero}".lower() for dossier in dossiers]
    compte = Utilisateur.objects.filter(identifiant__in=identifiants, allocataire__in=dossiers).first()
    if compte is None:
        raise AucunDossier
    return compte


def decouvrir() -> dict[str, Any]:
    """
    Ce que la plateforme publie d'elle-même, relu toutes les heures.

    :raises requests.RequestException: si elle ne répond pas
    :raises SuspiciousOperation: si elle se dit une autre
    """
    connue: dict[str, Any] | None = cache.get("franceconnect:plateforme")
    if connue is None:
        adresse = f"{settings.FRANCECONNECT_EMETTEUR}/.well-known/openid-configuration"
        reponse = requests.get(adresse, timeout=settings.OIDC_TIMEOUT)
        reponse.raise_for_status()
        connue = reponse.json()
        if connue.get("issuer") != settings.FRANCECONNECT_EMETTEUR:
            raise SuspiciousOperation("la plateforme se dit une autre")
        cache.set("franceconnect:plateforme", connue, UNE_HEURE)
    return connue
