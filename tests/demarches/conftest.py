"""Une personne connectée, et de quoi marcher dans le parcours."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from comptes.models import Utilisateur
from demarches.models import Demarche
from tests.factories import UtilisateurFactory

Aller = Callable[..., HttpResponse]
SUIVI = ("liste", "detail", "recommencer")


def adresse(nom: str, demarche: Demarche) -> str:
    """L'adresse d'une page d'une démarche, du parcours ou du suivi."""
    return reverse(f"{'suivi' if nom in SUIVI else 'demarches'}:{nom}", args=[demarche.reference])


@pytest.fixture
def personne(db: None) -> Utilisateur:
    return UtilisateurFactory()


@pytest.fixture
def connecte(client: Client, personne: Utilisateur) -> Client:
    client.force_login(personne)
    return client


@pytest.fixture
def voir(connecte: Client) -> Aller:
    """Ouvre une page d'une démarche : `voir("montants", demarche)`."""
    return lambda nom, demarche: connecte.get(adresse(nom, demarche))


@pytest.fixture
def envoyer(connecte: Client) -> Aller:
    """Envoie une page d'une démarche : `envoyer("choix", demarche, mode="GLOBAL")`."""

    def poster(nom: str, demarche: Demarche, **saisie: str) -> HttpResponse:
        return connecte.post(adresse(nom, demarche), saisie)

    return poster
