"""La page de santé, pour le répartiteur de charge et pour la démonstration."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def sante(request: HttpRequest) -> JsonResponse:
    """Répond 200 quand la base répond, 503 sinon. Redis n'en est pas : le service paie sans lui."""
    try:
        with connection.cursor() as curseur:
            curseur.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"etat": "base injoignable"}, status=503)
    return JsonResponse({"etat": "pret"})
