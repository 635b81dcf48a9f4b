"""Qui a le droit d'entrer : les pages de l'allocataire sont à lui seul."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from comptes.models import Allocataire, Utilisateur

Vue = Callable[..., HttpResponseBase]


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
    """Le dossier de la personne connectée, avec sa Caf."""
    return Allocataire.objects.select_related("caf").get(utilisateurs=request.user.pk)
