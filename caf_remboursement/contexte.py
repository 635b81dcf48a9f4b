"""Ce que tous les gabarits savent."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language


def reglages(request: HttpRequest) -> dict[str, object]:
    """L'emplacement de logo, si l'on entre aussi par FranceConnect, et les autres langues de cette page."""
    return {
        "logo": settings.LOGO,
        "franceconnect": bool(settings.FRANCECONNECT_EMETTEUR),
        "langues": [langue for langue in settings.LANGUAGES if langue[0] != get_language()],
    }
