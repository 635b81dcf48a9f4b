"""Les sessions ouvertes d'une personne : les fermer."""

from allauth.usersessions.models import UserSession

from comptes.models import Utilisateur


def fermer(utilisateur: Utilisateur, sauf: str = "") -> None:
    """
    Ferme les sessions ouvertes d'un compte.

    :param sauf: la clé de la session à garder ; vide, toutes se ferment
    """
    for session in UserSession.objects.filter(user=utilisateur).exclude(session_key=sauf):
        session.end()
