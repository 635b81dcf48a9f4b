"""Une seule adresse publique : les autres y renvoient, sans casser ni la santé ni la notification."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

PUBLIQUE = "rembourser.caf.example"


@pytest.fixture(autouse=True)
def en_production(settings) -> None:
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = True
    settings.ADRESSE_PUBLIQUE = f"https://{PUBLIQUE}"
    settings.ALLOWED_HOSTS = [PUBLIQUE, "rembourser-caf.example"]


@pytest.fixture
def client() -> Client:
    return Client(headers={"X-Forwarded-Proto": "https"})


@pytest.mark.parametrize("hote", [PUBLIQUE, PUBLIQUE.upper(), f"{PUBLIQUE}."])
def test_le_service_repond_a_son_adresse(client, hote):
    assert client.get("/", headers={"Host": hote}).status_code == 200


@pytest.mark.parametrize("hote", ["rembourser-caf.example", f"{PUBLIQUE}:8443"])
def test_une_autre_adresse_y_renvoie_avec_sa_page(client, hote):
    reponse = client.get("/aide/?a=1", headers={"Host": hote})

    assert (reponse.status_code, reponse["Location"]) == (301, f"https://{PUBLIQUE}/aide/?a=1")
    assert reponse["Permissions-Policy"]


def test_un_envoi_a_une_autre_adresse_ne_fait_rien(client):
    reponse = client.post("/connexion/", {"login": "a", "password": "b"}, headers={"Host": "rembourser-caf.example"})

    assert reponse.status_code == 400


def test_un_hote_inconnu_est_refuse(client):
    assert client.get("/", headers={"Host": "ailleurs.example"}).status_code == 400


@pytest.mark.parametrize("hote", ["10.0.0.5:8000", "rembourser-caf.example", PUBLIQUE])
def test_la_sante_repond_a_qui_sonde_la_machine(hote):
    assert Client().get("/sante/", headers={"Host": hote}).status_code == 200


@pytest.mark.parametrize("hote", ["10.0.0.5:8000", "rembourser-caf.example"])
def test_la_notification_arrive_sous_tout_nom(hote):
    reponse = Client().post("/paiements/payzen/notification", {"vads_site_id": "1"}, headers={"Host": hote})

    assert (reponse.status_code, reponse.content.decode()) == (400, "refusée")
