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
    return lambda nom, demarche: connecte.get(reverse(f"demarches:{nom}", args=[demarche.reference]))


@pytest.fixture
def envoyer(connecte: Client) -> Aller:
    """Envoie une page d'une démarche : `envoyer("choix", demarche, mode="GLOBAL")`."""

    def poster(nom: str, demarche: Demarche, **saisie: str) -> HttpResponse:
        return connecte.post(reverse(f"demarches:{nom}", args=[demarche.reference]), saisie)

    return poster
