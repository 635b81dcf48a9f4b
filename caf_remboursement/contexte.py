"""Ce que tous les gabarits savent."""

from django.conf import settings
from django.http import HttpRequest


def reglages(request: HttpRequest) -> dict[str, object]:  # noqa: ARG001 (la signature est celle de Django)
    """L'emplacement de logo, seul réglage d'apparence."""
    return {"logo": settings.LOGO}
