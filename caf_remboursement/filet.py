"""Le dernier filet : quoi qu'il arrive, une page à nous et une ligne au journal."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

# Ce que RequeteLisibleMiddleware refuse, d'une page : ici, il n'y a pas encore de requête.
ILLISIBLE = "illisible/illisible"
ENTETES = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
]


class Filet:
    """
    Entoure l'application WSGI.

    Django répond à ses propres pannes, sauf à celles qui arrivent avant qu'il ait une requête, ou pendant qu'il rend
    la page d'erreur : gunicorn dirait alors une page nue, et sa trace sur cinquante lignes.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        from django.http import parse_cookie
        from django.template.loader import render_to_string
        from django.utils import translation

        from caf_remboursement.langue import lire_la_langue

        if not is_lisible(environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = ILLISIBLE
        try:
            return self.application(environ, start_response)
        except Exception:
            logger.exception("panne hors de Django", extra={"adresse": environ.get("PATH_INFO")})
            start_response("500 Internal Server Error", ENTETES)
            with translation.override(lire_la_langue(parse_cookie(environ.get("HTTP_COOKIE", "")))):
                return [render_to_string("500.html").encode()]


def is_lisible(type_de_contenu: str) -> bool:
    """Faux si le type est mal écrit, ou d'un autre jeu que l'UTF-8 : Django en lirait l'adresse, et n'y survit pas."""
    try:
        _, parametres = parse_header_parameters(type_de_contenu)
    except ValueError:
        return False
    return parametres.get("charset", "utf-8").lower() in ("utf-8", "utf8")
