"""Ce que tous les gabarits savent."""

from django.conf import settings
from django.http import HttpRequest


def reglages(request: HttpRequest) -> dict[str, object]:
    """L'emplacement de logo, seul réglage d'apparence."""
    return {"logo": settings.LOGO}
