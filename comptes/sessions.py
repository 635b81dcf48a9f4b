"""Les sessions ouvertes : les fermer quand on les oublie, ou de loin."""

import time
from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from comptes.models import Utilisateur
from socle.sql import Lecture

ACTIVITE = "derniere_activite"
OUVERTURE = "ouverte_le"
PAS = 30  # secondes : plus souvent, chaque page écrirait la session
OUVERTES = Lecture(lambda cle, maintenant: Session.objects.filter(session_key=cle, expire_date__gt=maintenant))


class SessionStore(db.SessionStore):
    """Les sessions de Django, dans la base ; relues à chaque page, leur lecture n'est composée qu'une fois."""

    def _get_session_from_db(self) -> Session | None:
        ouvertes = OUVERTES.lire(self.session_key, timezone.now())
        if ouvertes:
            return ouvertes[0]
        self._session_key = None
        return None


def fermer(utilisateur: Utilisateur, sauf: str = "") -> None:
    """
    Ferme les sessions ouvertes d'un compte.

    :param sauf: la clé de la session à garder ; vide, toutes se ferment
    """
    for session in UserSession.objects.filter(user=utilisateur).exclude(session_key=sauf):
        session.end()


def get_delai_passe(request: HttpRequest) -> timedelta | None:
    """Le délai que cette session a laissé passer sans activité ; None si elle est encore bonne, ou à personne."""
    if not request.user.is_authenticated:
        return None
    delai = request.user.inactivite
    is_passe = time.time() - request.session.get(ACTIVITE, 0) > delai.total_seconds()
    return delai if is_passe else None


def noter_l_activite(request: HttpRequest) -> None:
    if time.time() - request.session.get(ACTIVITE, 0) >= PAS:
        request.session[ACTIVITE] = int(time.time())


@receiver(user_logged_in)
def commencer(request: HttpRequest, **_: object) -> None:
    request.session[OUVERTURE] = int(time.time())
    noter_l_activite(request)


@receiver(post_delete, sender=Session)
def oublier_l_appareil(instance: Any, **_: object) -> None:
    """L'adresse et le navigateur ne se gardent pas plus longtemps que la session."""
    UserSession.objects.filter(session_key=instance.session_key).delete()
