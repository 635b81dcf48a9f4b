"""Ce qui entoure chaque réponse et chaque ligne de journal : en-têtes de sécurité, données jointes."""

import logging
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse

ATTRIBUTS_ORDINAIRES = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class FormatAvecExtra(logging.Formatter):
    """Écrit le message constant, puis ce qui a été joint par `extra=`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s simulateur : %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Ajoute les données jointes à la fin de la ligne."""
        joints = {nom: valeur for nom, valeur in vars(record).items() if nom not in ATTRIBUTS_ORDINAIRES}
        joints.pop("request", None)
        suite = " ".join(f"{nom}={valeur}" for nom, valeur in joints.items())
        return f"{super().format(record)} {suite}".rstrip()


def politique(destinations: Iterable[str] = ()) -> str:
    """
    Politique de sécurité du contenu : aucun script, rien d'ailleurs.

    `destinations` : adresses de la boutique vers lesquelles un formulaire de la page peut mener, redirection comprise.
    """
    origines = {f"{u.scheme}://{u.netloc}" for u in map(urlsplit, destinations) if u.scheme in {"http", "https"}}
    permises = " ".join(["'self'", *sorted(origines)])
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {permises}"
    )


def entetes(suivant: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware : pose la politique de contenu si la vue ne l'a pas fait, et interdit le cache."""

    def traiter(requete: HttpRequest) -> HttpResponse:
        reponse = suivant(requete)
        reponse.headers.setdefault("Content-Security-Policy", politique())
        reponse.headers.setdefault("Cache-Control", "no-store")
        return reponse

    return traiter
