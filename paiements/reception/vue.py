"""La notification de PayZen : vérifier, porter, répondre. La seule preuve qu'un paiement a eu lieu."""

import logging

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from paiements import payzen
from paiements.reception.porter import Recu, consigner_incomplete, porter

logger = logging.getLogger(__name__)


@login_not_required
@csrf_exempt
@require_POST
def notification(request: HttpRequest) -> HttpResponse:
    """
    Répond 200 à tout ce qui est authentique et consigné, répétitions et anomalies comprises ; 400 au reste ; 503 quand
    la base manque, car PayZen rejouera (PROTOCOLE §3.6). N'appelle personne : ni PayZen, ni SMTP, ni Redis.
    """
    try:
        _recevoir(request.body)
    except payzen.NotificationRefusee as refus:
        logger.warning("notification PayZen refusée", extra={"motif": type(refus).__name__})
        return HttpResponse("refusée", status=400, content_type="text/plain; charset=utf-8")
    except OperationalError:
        logger.exception("notification PayZen à rejouer : la base ne répond pas")
        return HttpResponse("réessayer", status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse("OK", content_type="text/plain")


def _recevoir(corps: bytes) -> None:
    try:
        recue = payzen.read_notification(corps, settings.PAYZEN_BOUTIQUES)
    except payzen.NotificationIncomplete as incomplete:
        consigner_incomplete(incomplete)
    else:
        porter([Recu(recue.fait, recue.champs)])
