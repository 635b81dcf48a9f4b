"""
Ce qui est tapé à une étape et pas encore enregistré : gardé dans la session, rendu à la page qui l'attend.

Toute réponse à un envoi est une redirection : revenir en arrière ne remontre jamais la page d'erreur du navigateur,
et rien n'est perdu, ni par une faute, ni par « Retour », ni par une session qui finit (docs/adr/0033).
"""

from collections.abc import Callable
from functools import wraps
from typing import NotRequired, TypedDict

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

from socle.carte import LUE_AU_PLUS, effacer_la_carte

CLE = "frappes"
CONTINUER, RETOUR, ABANDONNER = "continuer", "retour", "abandonner"
# De quoi tenir les étapes d'un brouillon ; une session n'est pas un grenier.
PAGES_GARDEES, CHAMPS_GARDES = 4, 150
SIGNES_D_UN_NOM = 40
JAMAIS_GARDES = ("csrfmiddlewaretoken", "pour", "faire", "etape")
Saisie = dict[str, str]
Vue = Callable[..., HttpResponseBase]


class Frappe(TypedDict):
    """
    Ce qui attend une page.

    pour : la clé de la personne qui tapait, telle que la page la portait ; un autre ne le voit pas
    saisie : ce qui était tapé, nom par nom, sans numéro de carte
    faire : le bouton pressé
    dit : ce que le bouton a fait, s'il faut le dire
    avant : la saisie que le bouton a remplacée
    langue : celle de `dit`, qui ne se redit pas dans une autre
    """

    pour: str
    saisie: Saisie
    faire: str
    dit: NotRequired[str]
    avant: NotRequired[Saisie]
    langue: NotRequired[str]


def lire_envoi(request: HttpRequest) -> Frappe:
    """Ce que la personne vient d'envoyer."""
    champs = [
        (nom, str(valeur))
        for nom, valeur in request.POST.items()
        if valeur and nom not in JAMAIS_GARDES and len(nom) <= SIGNES_D_UN_NOM
    ]
    saisie = {nom: effacer_la_carte(valeur[:LUE_AU_PLUS]) for nom, valeur in champs[:CHAMPS_GARDES]}
    pour = str(request.user.pk) if request.user.is_authenticated else request.POST.get("pour", "")[:SIGNES_D_UN_NOM]
    return {"pour": pour, "saisie": saisie, "faire": request.POST.get("faire", CONTINUER)[:SIGNES_D_UN_NOM]}


def garder(request: HttpRequest, adresse: str, frappe: Frappe) -> None:
    """Garde une frappe pour la page de cette adresse."""
    gardees = {cle: valeur for cle, valeur in request.session.get(CLE, {}).items() if cle != adresse}
    gardees[adresse] = frappe
    request.session[CLE] = dict(list(gardees.items())[-PAGES_GARDEES:])


def lire(request: HttpRequest) -> Frappe | None:
    """La frappe qui attend cette page, si elle est de la personne connectée."""
    frappe: Frappe | None = request.session.get(CLE, {}).get(request.path)
    return frappe if frappe and frappe["pour"] == str(request.user.pk) else None


def oublier(request: HttpRequest, *adresses: str) -> None:
    """Efface ce qui attendait ces pages : c'est enregistré, ou abandonné."""
    gardees: dict[str, Frappe] = request.session.get(CLE, {})
    if any(adresse in gardees for adresse in adresses):
        request.session[CLE] = {cle: valeur for cle, valeur in gardees.items() if cle not in adresses}


def garder_avant_la_connexion(request: HttpRequest, adresse: str, frappe: Frappe) -> None:
    """Qui n'est pas connecté n'emplit pas la base de sessions : au-delà, rien ne se garde, et l'on va se connecter."""
    if ratelimit.consume(request, action="frappe"):
        garder(request, adresse, frappe)


def aller_se_connecter(request: HttpRequest, adresse: str, faire: str = CONTINUER) -> HttpResponseRedirect:
    """Session finie : ce qui vient d'être envoyé attend à cette adresse, où mènera la connexion ; rien n'est fait."""
    if request.method == "POST":
        garder_avant_la_connexion(request, adresse, {**lire_envoi(request), "faire": faire})
    return redirect_to_login(adresse)


def connexion_requise(vue: Vue) -> Vue:
    """Comme `login_required` ; ce qu'envoie une personne dont la session a fini l'attend à son retour."""
    protegee: Callable[..., HttpResponseBase] = login_required(vue)

    @wraps(vue)
    def gardee(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.method == "POST" and not request.user.is_authenticated:
            garder_avant_la_connexion(request, request.path, lire_envoi(request))
        return protegee(request, *args, **kwargs)

    return gardee
