"""Ce que l'on refuse avant toute vue, et ce que porte toute réponse."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import add_never_cache_headers

from caf_remboursement.filet import ILLISIBLE

Suite = Callable[[HttpRequest], HttpResponseBase]

ENTETES = {
    # Le service n'emploie rien de l'appareil : ni lui, ni ce qui s'y glisserait.
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class EntetesMiddleware:
    """
    Pose nos en-têtes sur toute réponse, et interdit d'en garder aucune copie.

    En premier : ainsi les pages d'erreur les portent aussi. Qui peut se garder (les fichiers statiques) l'a déjà dit.
    """

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        reponse = self.get_response(request)
        for nom, valeur in ENTETES.items():
            reponse.headers.setdefault(nom, valeur)
        if not reponse.has_header("Cache-Control"):
            add_never_cache_headers(reponse)
        return reponse


class RequeteLisibleMiddleware:
    """
    Refuse ce que rien, derrière, ne saurait lire.

    Un octet nul dans l'adresse ou dans un cookie : PostgreSQL ne le lit pas, chaque recherche en ferait une panne. Un
    type de contenu que le filet (`filet.py`) a trouvé mal écrit, ou d'un autre jeu que l'UTF-8.
    """

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("octet nul dans l'adresse")
        if any("\0" in valeur for valeur in request.COOKIES.values()):
            raise BadRequest("octet nul dans un cookie")
        if request.content_type == ILLISIBLE:
            raise BadRequest("type de contenu illisible")
        return self.get_response(request)
