"""Ce qui coûte est borné par compte : un seul visiteur ne ralentit pas le service pour tous."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.connexion import entrer, entrer_en_agent
from tests.factories import AgentFactory, CafFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("document", ["ticket", "attestation"])
def test_les_pdf_d_un_compte_sont_bornes_et_les_autres_servis(client: Client, document: str) -> None:
    adresse = reverse(f"paiements:{document}", args=["P-INCONNU"])
    entrer(client, UtilisateurFactory().identifiant)

    codes = [client.get(adresse).status_code for _ in range(21)]

    assert codes == [404] * 20 + [429]
    autre = Client()
    entrer(autre, UtilisateurFactory().identifiant)
    assert autre.get(adresse).status_code == 404


def test_les_recherches_d_un_agent_sont_bornees(client: Client) -> None:
    entrer_en_agent(client, AgentFactory().utilisateur)
    liste = reverse("admin:comptes_allocataire_changelist")

    codes = [client.get(liste, {"q": f"{n:07d}"}).status_code for n in range(61)]

    assert codes == [200] * 60 + [429]
    assert "Trop de demandes" in client.get(liste).content.decode()


@pytest.mark.parametrize(
    ("adresse", "action"),
    [
        ("/agents/feuille/661/2026-11-27/", "liste"),
        ("/agents/feuille/661/2026-11-27/feuille.csv", "liste"),
        ("/agents/feuille/661/2026-11-27/feuille.pdf", "pdf"),
        ("/agents/paiements/paiement/1/imprimer/", "liste"),
    ],
)
def test_feuilles_et_fiches_imprimees_sont_bornees(client: Client, settings, adresse: str, action: str) -> None:
    """D'une Caf qui n'est pas la sienne : la borne compte ce qui est demandé, et rien n'est à calculer."""
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, action: "2/m/user"}
    entrer_en_agent(client, AgentFactory(cafs=[CafFactory(code="751")]).utilisateur)

    assert [client.get(adresse).status_code for _ in range(3)] == [404, 404, 429]
