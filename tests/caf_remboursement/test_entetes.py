"""Ce que portent toutes les réponses, et ce que disent les adresses convenues de la sécurité."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.connexion import entrer, entrer_en_agent
from tests.factories import AgentFactory, UtilisateurFactory

PERSONNELLES = ["/mon-compte/", "/mon-compte/dettes/", "/compte/mot-de-passe/", "/compte/confirmation/", "/rien-ici/"]
DU_BUREAU = ["/agents/", "/agents/password_change/", "/agents/comptes/allocataire/", "/agents/comptes/utilisateur/"]


def verifier(client: Client, adresse: str) -> None:
    reponse = client.get(adresse)
    assert {"no-store", "private"} <= set(reponse["Cache-Control"].split(", ")), adresse
    assert "camera=()" in reponse["Permissions-Policy"]
    assert reponse["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.django_db
def test_aucune_page_personnelle_ne_se_garde(client: Client) -> None:
    entrer(client, UtilisateurFactory().identifiant)

    for adresse in PERSONNELLES:
        verifier(client, adresse)


@pytest.mark.django_db
def test_aucune_page_du_bureau_ne_se_garde(client: Client) -> None:
    entrer_en_agent(client, AgentFactory().utilisateur)

    for adresse in DU_BUREAU:
        verifier(client, adresse)


@pytest.mark.django_db
def test_un_envoi_refuse_se_retrouve_par_precedent(client: Client) -> None:
    """Sans copie, « Précédent » mène à une erreur du navigateur (docs/adr/0060)."""
    refuse = client.post("/connexion/", {"login": "", "password": ""})
    introuvable = client.post("/rien-ici/")

    assert [page["Cache-Control"] for page in (refuse, introuvable)] == ["private, no-cache"] * 2


@pytest.mark.django_db
def test_un_envoi_au_bureau_ne_laisse_pas_de_copie(client: Client) -> None:
    entrer_en_agent(client, AgentFactory().utilisateur)

    for adresse in ("/agents/password_change/", "/compte/double-authentification/activer/"):
        assert "no-store" in client.post(adresse)["Cache-Control"], adresse


@pytest.mark.django_db
def test_un_fichier_statique_garde_sa_propre_regle(client: Client) -> None:
    reponse = client.get("/static/css/caf.css")

    assert "no-store" not in reponse["Cache-Control"]
    assert reponse["Cross-Origin-Resource-Policy"] == "same-origin"
    reponse.close()


def test_on_sait_a_qui_signaler_une_faille(client: Client, settings) -> None:
    settings.CONTACT_SECURITE = "mailto:securite@caf.invalid"

    lignes = client.get("/.well-known/security.txt").content.decode().splitlines()

    champs = dict(ligne.split(": ", 1) for ligne in lignes)
    assert champs["Contact"] == "mailto:securite@caf.invalid"
    assert champs["Canonical"] == "http://testserver/.well-known/security.txt"
    assert timedelta(0) < datetime.fromisoformat(champs["Expires"]) - timezone.now() < timedelta(days=365)


def test_sans_contact_l_adresse_n_existe_pas(client: Client, settings) -> None:
    settings.CONTACT_SECURITE = ""

    assert client.get("/.well-known/security.txt").status_code == 404


def test_un_gestionnaire_de_mots_de_passe_trouve_ou_en_changer(client: Client) -> None:
    assert client.get("/.well-known/change-password").url == reverse("account_change_password")
