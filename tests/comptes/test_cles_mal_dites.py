"""Une clé de sécurité mal dite : refusée, sans panne et sans rien garder de ce qu'elle dit."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from fido2.utils import websafe_encode

from comptes.models import Agent
from tests.connexion import donner_le_code, entrer, entrer_en_agent, poser_un_totp
from tests.factories import AgentFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> Agent:
    return AgentFactory()


CLE = {"id": "YQ", "rawId": "YQ", "type": "public-key"}
# Trente-sept octets dont le bit « extensions » est levé, et rien où les lire.
TRONQUEE = websafe_encode(bytes(32) + b"\x80" + bytes(4))


def dire_une_cle(genre: str, **reponse: str) -> str:
    client = {"type": f"webauthn.{genre}", "challenge": "YQ", "origin": "http://testserver"}
    return json.dumps(CLE | {"response": reponse | {"clientDataJSON": websafe_encode(json.dumps(client).encode())}})


PREUVES = {
    "profonde": "[" * 100_000,
    "longue": "1" * 5_000,
    "cassée": "{",
    "nulle": "null",
    "fausse": "false",
    "zéro": "0",
    "un texte": '"YQ"',
    "une liste": "[1]",
    "rien": "{}",
    "signature tronquée": dire_une_cle("get", authenticatorData=TRONQUEE, signature="YQ"),
    "sans attestation": dire_une_cle("create", attestationObject=""),
    "attestation coupée": dire_une_cle("create", attestationObject="GQ"),
    "attestation profonde": dire_une_cle("create", attestationObject=websafe_encode(b"\x81" * 3000)),
}


@pytest.mark.parametrize("preuve", PREUVES.values(), ids=PREUVES)
def test_une_preuve_de_cle_illisible_est_fausse_sans_faire_de_panne(client, agent, preuve: str) -> None:
    poser_un_totp(agent.utilisateur)
    entrer(client, agent.utilisateur.identifiant)

    assert client.post(reverse("mfa_authenticate"), {"credential": preuve}).status_code == 200
    assert client.get("/agents/").status_code == 302


@pytest.mark.parametrize("preuve", PREUVES.values(), ids=PREUVES)
def test_une_preuve_qui_ne_prouve_rien_n_ajoute_pas_de_cle(client, agent, preuve: str) -> None:
    entrer_en_agent(client, agent.utilisateur)
    donner_le_code(client, 1, nom="mfa_reauthenticate")

    reponse = client.post(reverse("mfa_add_webauthn"), {"name": "Ma clé", "credential": preuve})

    assert reponse.status_code == 200
    assert not Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).exists()


def test_une_cle_mal_dite_ne_s_ajoute_pas_et_son_nom_n_a_pas_de_carte(client, agent) -> None:
    entrer_en_agent(client, agent.utilisateur)
    donner_le_code(client, 1, nom="mfa_reauthenticate")
    dite = CLE | {"response": {"clientDataJSON": "YQ"}}

    reponse = client.post(reverse("mfa_add_webauthn"), {"name": "4970 1000 0000 0055", "credential": json.dumps(dite)})

    assert reponse.status_code == 200
    assert set(reponse.context["form"].errors) == {"name", "__all__"}
    assert "4970" not in reponse.content.decode()
