"""Une personne connectée, qui suit ses demandes."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.demarches.conftest import Aller, connecte, personne

__all__ = ["connecte", "personne"]


@pytest.fixture
def voir(connecte: Client) -> Aller:  # noqa: F811 (la fixture, par son nom)
    """Ouvre une page d'une démarche : `voir("detail", demarche)`."""
    return lambda nom, demarche: connecte.get(reverse(f"suivi:{nom}", args=[demarche.reference]))


@pytest.fixture
def envoyer(connecte: Client) -> Aller:  # noqa: F811
    """Envoie une page d'une démarche : `envoyer("recommencer", demarche)`."""
    return lambda nom, demarche: connecte.post(reverse(f"suivi:{nom}", args=[demarche.reference]))
