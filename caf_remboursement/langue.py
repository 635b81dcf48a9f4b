"""La langue que l'on a choisie, gardée dans un cookie (`pages:langue`)."""

from collections.abc import Mapping

from django.conf import settings


def lire_la_langue(cookies: Mapping[str, str]) -> str:
    """Le code de la langue choisie ; le français, si l'on n'en a pas choisi que l'on ait."""
    choisie = cookies.get(settings.LANGUAGE_COOKIE_NAME, "")
    return choisie if choisie in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
