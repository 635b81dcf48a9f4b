"""Ce que tous les gabarits savent."""

from django.conf import settings
from django.http import HttpRequest


def reglages(request: HttpRequest) -> dict[str, object]:
    """L'emplacement de logo, et si l'on entre aussi par FranceConnect."""
    return {"logo": settings.LOGO, "franceconnect": bool(settings.FRANCECONNECT_EMETTEUR)}
