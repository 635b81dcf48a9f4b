"""Ce que l'on refuse avant toute vue, et ce que porte toute réponse."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import resolve, reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers

from caf_remboursement.filet import ILLISIBLE
from caf_remboursement.langue import lire_la_langue
from socle.attente import is_verrou_tenu

Suite = Callable[[HttpRequest], HttpResponseBase]

# Les dossiers des autres, et les secrets des seconds facteurs.
SANS_COPIE = ("/agents/", "/compte/double-authentification/")
ENTETES = {
    # Le service n'emploie rien de l'appareil : ni lui, ni ce qui s'y glisserait.
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class EntetesMiddleware:
    """
    Pose nos en-têtes sur toute réponse, et interdit d'en garder aucune copie.

    En premier : ainsi les pages d'erreur les portent aussi. Qui peut se garder (les fichiers statiques) l'a déjà dit.
    Un envoi refusé que « Précédent » doit retrouver aussi (docs/adr/0060).
    """

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        reponse = self.get_response(request)
        for nom, valeur in ENTETES.items():
            reponse.headers.setdefault(nom, valeur)
        if _se_retrouve(request, reponse):
            reponse.headers["Cache-Control"] = "private, no-cache"
        elif not reponse.has_header("Cache-Control"):
            add_never_cache_headers(reponse)
        return reponse


def _se_retrouve(request: HttpRequest, reponse: HttpResponseBase) -> bool:
    """
    Vrai pour la page qui répond à un envoi de l'allocataire : elle ne porte rien d'un dossier.

    Sans copie, « Précédent » montrerait une erreur du navigateur. Le bureau et les seconds facteurs n'en laissent pas.
    """
    est_une_page = reponse.headers.get("Content-Type", "").startswith("text/html")
    return request.method == "POST" and est_une_page and not request.path.startswith(SANS_COPIE)


class LangueMiddleware:
    """
    Rend la page dans la langue que l'on a choisie (un cookie, `pages:langue`) ; sans choix, en français.

    Le réglage du navigateur ne décide rien : beaucoup sont en anglais sans que leur lecteur le lise. Le bureau des
    agents reste en français.
    """

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response
        self.bureau = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        au_bureau = request.path.startswith(self.bureau)
        with translation.override(settings.LANGUAGE_CODE if au_bureau else lire_la_langue(request.COOKIES)):
            return self.get_response(request)


class AdressePubliqueMiddleware:
    """
    Le service n'a qu'une adresse publique : un autre nom y renvoie, et n'y fait rien.

    Les sondes et la plateforme de paiement parlent à une machine autant qu'à un nom : l'hôte qu'elles disent ne compte
    pas. Éteint sans https (démonstration, où « localhost » est le seul nom d'où une clé de sécurité s'essaie).
    """

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response
        self.hote = urlsplit(settings.ADRESSE_PUBLIQUE).netloc.lower()
        self.sans_hote = [re.compile(motif) for motif in settings.SECURE_REDIRECT_EXEMPT]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not settings.HTTPS:
            return self.get_response(request)
        if any(motif.search(request.path.lstrip("/")) for motif in self.sans_hote):
            request.META["HTTP_HOST"] = self.hote
            return self.get_response(request)
        if request.get_host().lower().rstrip(".") == self.hote:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            raise BadRequest("envoyé à une autre adresse que la nôtre")
        return HttpResponsePermanentRedirect(settings.ADRESSE_PUBLIQUE + request.get_full_path())


class RequeteLisibleMiddleware:
    """
    Refuse ce que rien, derrière, ne saurait lire.

    Un octet nul dans l'adresse ou dans un cookie : PostgreSQL ne le lit pas, chaque recherche en ferait une panne. Un
    type de contenu que le filet (`filet.py`) a trouvé mal écrit, ou d'un autre jeu que l'UTF-8.
    """

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        question = request.META.get("QUERY_STRING", "")
        if "\0" in request.path_info or "\0" in question or "%00" in question:
            raise BadRequest("octet nul dans l'adresse")
        if any("\0" in valeur for valeur in request.COOKIES.values()):
            raise BadRequest("octet nul dans un cookie")
        if request.content_type == ILLISIBLE:
            raise BadRequest("type de contenu illisible")
        return self.get_response(request)


class SansPersonneMiddleware:
    """
    La notification de la plateforme va droit à sa vue : ce qui suit sert des personnes.

    Ni session, ni formulaire, ni compte : elle se prouve par sa signature. Ses en-têtes et son journal sont ceux de
    toute réponse.
    """

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response
        chemin = reverse("paiements:notification")
        self.chemins = (chemin, chemin.rstrip("/"))
        self.vue = resolve(chemin).func

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in self.chemins:
            return self.get_response(request)
        reponse: HttpResponse = self.vue(request)
        reponse["Content-Length"] = str(len(reponse.content))
        return reponse


class VerrouTenuMiddleware:
    """Un import, ou quelqu'un d'autre, tient ce qu'une page voulait changer : la page dit d'attendre."""

    def __init__(self, get_response: Suite) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Rien n'est écrit : la transaction a été défaite, et le même geste passera tout à l'heure."""
        if not is_verrou_tenu(exception):
            return None
        page = render(request, "occupe.html", status=503)
        page["Retry-After"] = "30"
        return page
