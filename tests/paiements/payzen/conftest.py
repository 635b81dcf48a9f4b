"""Une boutique d'essai, les vecteurs de signature, et de quoi écrire le corps d'une notification signée."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
import responses

from paiements.payzen import Boutique, Client, Mode, sign
from paiements.payzen import rest as module_rest
from tests.paiements.payzen.plateforme import API

VECTEURS = {
    vecteur["name"]: vecteur
    for vecteur in json.loads((Path(__file__).parents[2] / "donnees" / "vecteurs_signature.json").read_text())
}
IPN = VECTEURS["calcule-ipn-authorised"]


def pytest_generate_tests(metafunc):
    choix = {
        "vecteur": VECTEURS,
        "vecteur_en_octets": {nom: v for nom, v in VECTEURS.items() if "urlencoded" in v},
        "vecteur_de_notification": {nom: v for nom, v in VECTEURS.items() if "-ipn-" in nom},
    }
    for fixture, vecteurs in choix.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, vecteurs.values(), ids=vecteurs.keys())


@pytest.fixture
def boutique():
    return Boutique(
        site="12345678",
        mode=Mode.TEST,
        cle=IPN["key"],
        mot_de_passe="testpassword_exemple",
        url_formulaire="https://plateforme.example/vads-payment/",
        url_api="https://api.plateforme.example/api-payment/V4/",
    )


@pytest.fixture
def boutiques(boutique):
    return {boutique.site: boutique}


@pytest.fixture
def champs_de():
    """Une copie des champs d'un vecteur, que le test peut changer."""
    return lambda nom: dict(VECTEURS[nom]["fields"])


@pytest.fixture
def champs(champs_de):
    """Une notification de succès, que le test peut changer."""
    return champs_de("calcule-ipn-authorised")


@pytest.fixture
def signer(boutique):
    """Écrit le corps que la plateforme posterait : les champs, puis leur signature."""
    return lambda champs: urlencode({**champs, "signature": sign(champs, boutique.cle)}).encode()


@pytest.fixture
def plateforme():
    with responses.RequestsMock() as plateforme:
        yield plateforme


@pytest.fixture
def client(boutique, monkeypatch):
    monkeypatch.setattr(module_rest, "ATTENTE_S", 0)
    return Client(boutique)


@pytest.fixture
def repondre(plateforme):
    """Prépare une réponse de la plateforme : HTTP 200 dans tous les cas, comme elle fait (§6.2)."""

    def repondre(service, contenu, status="SUCCESS", mode="TEST"):
        return plateforme.post(f"{API}/{service}", json={"status": status, "mode": mode, "answer": contenu})

    return repondre
