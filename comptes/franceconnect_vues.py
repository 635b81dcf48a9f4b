"""Partir chez FranceConnect, et en revenir."""

import logging
from typing import Any
from urllib.parse import urlencode

import jwt
import requests
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe
from mozilla_django_oidc.views import OIDCAuthenticationRequestView

from comptes import facteurs, franceconnect
from comptes.models import Utilisateur
from socle.bornes import borner

logger = logging.getLogger(__name__)

ATTENTES, SUITE = "oidc_states", "oidc_login_next"
# Ce qui arrive quand la plateforme se tait, ou répond ce qui ne se lit pas.
MUETTE = (requests.RequestException, ValueError, KeyError)
METHODE = "franceconnect"
SERVEUR_EN_PANNE = 500


class DepartView(franceconnect.ReglagesMixin, OIDCAuthenticationRequestView):  # type: ignore[misc]  # sans types
    """La demande : état, nonce et PKCE, tirés et gardés en session par la bibliothèque."""

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        # Qui confirme que c'est bien lui ne revient pas sans avoir rien prouvé de nouveau.
        prouver = {"prompt": "login"} if request.user.is_authenticated else {}
        return {"acr_values": settings.FRANCECONNECT_NIVEAUX[0], **prouver}


@login_not_required
@require_safe
@borner("login")
def commencer(request: HttpRequest) -> HttpResponse:
    """Mène chez FranceConnect."""
    _exiger_le_reglage()
    try:
        depart: HttpResponse = DepartView.as_view()(request)
    except (*MUETTE, SuspiciousOperation):
        return _expliquer(request, "panne", 503)
    return depart


@login_not_required
@require_safe
@borner("login")
def retour(request: HttpRequest) -> HttpResponse:
    """Revient de FranceConnect : ouvre le dossier de cette identité, ou dit pourquoi aucun ne s'ouvre."""
    _exiger_le_reglage()
    attente = request.session.get(ATTENTES, {}).pop(request.GET.get("state", ""), None)
    request.session.modified = True
    if attente is None or "code" not in request.GET:
        return _expliquer(request, "interrompu", 400)
    try:
        compte = franceconnect.Plateforme().authenticate(
            request, nonce=attente["nonce"], code_verifier=attente["code_verifier"]
        )
    except franceconnect.AucunDossier:
        return _expliquer(request, "aucun", 403)
    except franceconnect.PlusieursDossiers as plusieurs:
        return _expliquer(request, "plusieurs", 403, cafs=plusieurs.cafs)
    except (SuspiciousOperation, jwt.PyJWTError):
        compte = None
    except MUETTE as panne:
        if isinstance(panne, requests.HTTPError) and panne.response.status_code < SERVEUR_EN_PANNE:
            return _expliquer(request, "interrompu", 400)  # un code qui a déjà servi, ou périmé
        # Son texte citerait le code, et le jeton : son nom suffit.
        logger.warning("FranceConnect ne répond pas", extra={"panne": type(panne).__name__})
        return _expliquer(request, "panne", 503)
    return _entrer(request, compte) if compte else _expliquer(request, "interrompu", 400)


def _entrer(request: HttpRequest, compte: Utilisateur) -> HttpResponse:
    """Connecte, et va où l'on allait ; déjà connecté à ce compte, c'est une confirmation."""
    suite = request.session.pop(SUITE, None)
    deja = request.user.is_authenticated and request.user.pk == compte.pk
    if request.user.is_authenticated and not deja:
        jeton = request.session[franceconnect.JETON]
        logout(request)
        request.session[franceconnect.JETON] = jeton
    # Qui a un second facteur confirme par lui, et par rien d'autre.
    if not (deja and facteurs.get_facteurs(compte).exists()):
        record_authentication(request, compte, METHODE, reauthenticated=deja)
    if deja:
        return redirect(suite or "comptes:mon_compte")
    connecte: HttpResponse = perform_login(request, compte, redirect_url=suite)
    return connecte


def finir(request: HttpRequest, adresse: str) -> str:
    """
    Où aller en se déconnectant : qui est entré par FranceConnect en sort aussi.

    :param adresse: où l'on irait sinon
    """
    jeton = request.session.get(franceconnect.JETON)
    if not (jeton and settings.FRANCECONNECT_EMETTEUR):
        return adresse
    try:
        fin = franceconnect.decouvrir().get("end_session_endpoint")
    except (*MUETTE, SuspiciousOperation):
        return adresse
    revenir = {"id_token_hint": jeton, "post_logout_redirect_uri": f"{settings.ADRESSE_PUBLIQUE}/"}
    return f"{fin}?{urlencode(revenir)}" if fin else adresse


def _exiger_le_reglage() -> None:
    if not settings.FRANCECONNECT_EMETTEUR:
        raise Http404


def _expliquer(request: HttpRequest, cas: str, code: int, **contexte: Any) -> HttpResponse:
    suite = request.session.get(SUITE) or ""
    sure = suite if url_has_allowed_host_and_scheme(suite, None) else ""
    return render(request, "comptes/franceconnect.html", {"cas": cas, "suite": sure, **contexte}, status=code)
