"""Ce que dit la page de connexion à qui elle interrompt : pourquoi, ce qui est gardé, où l'on va ensuite."""

from typing import NamedTuple
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy

from socle import frappe

NOMS = {
    "comptes:mon_compte": gettext_lazy("Mon compte"),
    "dettes:liste": gettext_lazy("Mes dettes"),
    "dettes:detail": gettext_lazy("la dette que vous regardiez"),
    "suivi:liste": gettext_lazy("Mes démarches"),
    "suivi:detail": gettext_lazy("la démarche que vous regardiez"),
    "suivi:ticket": gettext_lazy("l’envoi de votre ticket"),
    "demarches:commencer": gettext_lazy("la première page pour rembourser"),
}


class Suite(NamedTuple):
    """
    Où mène la connexion.

    `genre` : « paiement » au retour de PayZen, « demarche » au milieu d'une saisie, « bureau » au milieu d'un geste
    d'agent, « page » pour le reste ; `nom` : celui de la page ; `is_saisie_gardee` : vrai si l'on a gardé ce qui
    venait d'y être écrit.
    """

    genre: str
    nom: str
    is_saisie_gardee: bool


def lire_la_suite(request: HttpRequest, suivant: str) -> Suite | None:
    """
    Ce que l'on sait de la page où mènera la connexion ; None si l'on ne venait de nulle part.

    :param suivant: l'adresse demandée, telle que le navigateur la donne
    """
    chemin = urlsplit(suivant).path
    try:
        page = resolve(chemin)
    except Resolver404:
        return None
    gardee = chemin in request.session.get(frappe.CLE, {})
    if page.view_name == "paiements:retour":
        return Suite("paiement", "", gardee)
    if page.app_name in ("admin", "feuille"):
        return Suite("bureau", "", gardee) if gardee else None
    nom = NOMS.get(page.view_name)
    if (gardee and page.app_name == "demarches") or (not nom and page.app_name in ("demarches", "paiements")):
        return Suite("demarche", "", gardee)
    return Suite("page", str(nom), gardee) if nom else None
