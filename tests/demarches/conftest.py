"""Une personne connectée, et de quoi marcher dans le parcours."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from comptes.models import Utilisateur
from demarches.models import Demarche
from dettes.models import Dette
from tests.factories import DemarcheFactory, DetteFactory, UtilisateurFactory

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


@pytest.fixture
def dettes(personne: Utilisateur) -> list[Dette]:
    """Une ancienne de 300 €, puis une récente de 100 €."""
    return [
        DetteFactory(allocataire=personne.allocataire, montant_initial=montant, notifiee_le=date(annee, 1, 1))
        for annee, montant in ((2024, Decimal(300)), (2025, Decimal(100)))
    ]


@pytest.fixture
def demarche(personne: Utilisateur, dettes: list[Dette]) -> Demarche:
    """Un brouillon au récapitulatif : 50 € sur l'ancienne, 80 € sur la récente."""
    return DemarcheFactory(
        auteur=personne, courriel="ines@exemple.fr", lignes={dettes[0]: Decimal(50), dettes[1]: Decimal(80)}
    )


def lire(demarche: Demarche) -> dict[Dette, Decimal]:
    """Ce que la démarche paie, par dette."""
    return {ligne.dette: ligne.montant for ligne in demarche.lignes.select_related("dette")}


def baisser(dette: Dette, montant: Decimal | str | int) -> None:
    """La Caf baisse une dette."""
    dette.mouvements.create(genre="AJUSTEMENT", montant=-Decimal(montant), origine="livraison")
