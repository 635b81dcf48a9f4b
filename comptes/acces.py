"""Qui a le droit d'entrer : les pages de l'allocataire sont à lui seul."""

from collections.abc import Callable
from functools import wraps
from typing import cast

from allauth.account.auth_backends import AuthenticationBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from comptes.models import Allocataire, Utilisateur
from socle.sql import Lecture

Vue = Callable[..., HttpResponseBase]
COMPTE = Lecture(lambda cle: Utilisateur.objects.select_related("allocataire__caf").filter(pk=cle))


class Entree(AuthenticationBackend):  # type: ignore[misc]  # allauth n'a pas de types
    """La connexion d'allauth ; à chaque page, le compte se relit avec son dossier et sa Caf, d'un seul coup."""

    def get_user(self, user_id: int) -> Utilisateur | None:
        comptes = COMPTE.lire(user_id)
        return comptes[0] if comptes and self.user_can_authenticate(comptes[0]) else None


class RequeteAllocataire(HttpRequest):
    """Une requête passée par `allocataire_requis`."""

    user: Utilisateur


def allocataire_requis(vue: Vue) -> Vue:
    """Renvoie un agent vers son bureau ; refuse un compte sans dossier. La connexion, elle, est exigée partout."""

    @wraps(vue)
    def gardee(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.user.is_staff:
            return redirect("admin:index")
        if request.user.allocataire_id is None:  # type: ignore[union-attr]  # LoginRequiredMiddleware est passé avant
            raise PermissionDenied
        return vue(request, *args, **kwargs)

    return gardee


def get_dossier(request: RequeteAllocataire) -> Allocataire:
    """Le dossier de la personne connectée, avec sa Caf : lu avec son compte (`Entree`), en une requête."""
    return cast("Allocataire", request.user.allocataire)
