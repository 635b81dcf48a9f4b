"""Ce que l'on refuse avant toute vue."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase


class NullByteMiddleware:
    """
    Refuse une adresse qui contient un octet nul, brut ou codé.

    PostgreSQL ne sait pas le lire : chaque recherche par référence, chaque filtre du bureau en ferait une panne.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("octet nul dans l'adresse")
        return self.get_response(request)
