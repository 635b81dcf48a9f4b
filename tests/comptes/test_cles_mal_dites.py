"""Une clé de sécurité mal dite : refusée, sans panne et sans rien garder de ce qu'elle dit."""

import json

import pytest
from django.urls import reverse

from comptes.models import Agent
from tests.connexion import donner_le_code, entrer, entrer_en_agent, poser_un_totp
from tests.factories import AgentFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> Agent:
    return AgentFactory()


@pytest.mark.parametrize(
    "preuve", ["[" * 100_000, "1" * 5_000, "{", "null"], ids=["profonde", "longue", "cassée", "nulle"]
)
def test_une_preuve_de_cle_illisible_est_fausse_sans_faire_de_panne(client, agent, preuve: str) -> None:
    poser_un_totp(agent.utilisateur)
    entrer(client, agent.utilisateur.identifiant)

    assert client.post(reverse("mfa_authenticate"), {"credential": preuve}).status_code == 200
    assert client.get("/agents/").status_code == 302


def test_une_cle_mal_dite_ne_s_ajoute_pas_et_son_nom_n_a_pas_de_carte(client, agent) -> None:
    entrer_en_agent(client, agent.utilisateur)
    donner_le_code(client, 1, nom="mfa_reauthenticate")
    dite = {"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {"clientDataJSON": "YQ"}}

    reponse = client.post(reverse("mfa_add_webauthn"), {"name": "4970 1000 0000 0055", "credential": json.dumps(dite)})

    assert reponse.status_code == 200
    assert set(reponse.context["form"].errors) == {"name", "__all__"}
    assert "4970" not in reponse.content.decode()
