"""La santé du simulateur : prêt quand la base répond et que le moteur tourne."""

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from . import moteur
from .models import get_boutiques


@require_safe
def repondre(_requete: HttpRequest) -> JsonResponse:
    """200 `{"etat": "pret"}`, sinon 503."""
    try:
        pret = bool(get_boutiques()) and moteur.is_vivant()
    except DatabaseError:
        pret = False
    return JsonResponse({"etat": "pret" if pret else "pas prêt"}, status=200 if pret else 503)
