"""Confirmer que c'est bien soi, quand la connexion date : avant de payer, un poste oublié ne suffit pas."""

import time

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext

from comptes.sessions import OUVERTURE


def exiger(request: HttpRequest, suite: str) -> HttpResponse | None:
    """
    Mène à la page qui redemande une preuve, si la dernière est trop vieille ; None sinon.

    :param suite: où revenir ensuite
    """
    preuves = [acte["at"] for acte in get_authentication_records(request, request.user)]
    derniere = max([request.session.get(OUVERTURE, 0), *preuves])
    if time.time() - derniere <= settings.CONFIRMER_AVANT_DE_PAYER.total_seconds():
        return None
    minutes = int(settings.CONFIRMER_AVANT_DE_PAYER.total_seconds() // 60)
    messages.info(
        request,
        gettext(
            "Vous êtes connecté depuis plus de {minutes} minutes. Confirmez que c’est bien vous, puis"
            " relisez et payez\u00a0: rien n’est perdu, et rien n’est payé."
        ).format(minutes=minutes),
    )
    porte = get_adapter().get_reauthentication_methods(request.user)[0]["url"]
    return redirect(f"{porte}?{urlencode({REDIRECT_FIELD_NAME: suite})}")
