"""L'identifiant s'écrit comme on le connaît : par le code de sa Caf, ou par son département."""

import pytest
from django.test import Client
from django.urls import reverse

from comptes.identifiants import lire_dossier
from tests.factories import MOT_DE_PASSE, AgentFactory, AllocataireFactory, CafFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


def entrer(client: Client, identifiant: str):
    return client.post(reverse("account_login"), {"login": identifiant, "password": MOT_DE_PASSE})


@pytest.fixture
def moi() -> None:
    UtilisateurFactory(allocataire=AllocataireFactory(numero="0000354"))


@pytest.mark.parametrize(
    "saisie",
    [
        "6610000354",
        "661 0000354",
        "661 354",
        "661-0000354",
        "66 0000354",
        "660000354",
        "66 0000 354",
        "66/354",
        " 66\u00a00000354 ",
        "\uff16\uff16 0000354",
    ],
)
def test_chaque_facon_d_ecrire_son_identifiant_fait_entrer(client: Client, moi: None, saisie: str) -> None:
    assert entrer(client, saisie).status_code == 302


@pytest.mark.parametrize("saisie", ["0000354", "354", "67 0000354", "661 00000354", "agent-7", "prenom.nom", ""])
def test_ce_qui_ne_nomme_pas_un_dossier_ne_fait_pas_entrer(client: Client, moi: None, saisie: str) -> None:
    assert entrer(client, saisie).status_code == 200


def test_un_agent_entre_avec_son_nom(client: Client) -> None:
    agent = AgentFactory(utilisateur__identifiant="prenom.nom-7")

    assert entrer(client, agent.utilisateur.identifiant).status_code == 302


def test_un_departement_a_deux_caf_demande_laquelle(client: Client) -> None:
    for code, nom in [("641", "Caf du Pays basque"), ("642", "Caf du Béarn")]:
        CafFactory(code=code, nom=nom, departement="64", boutique="")

    fautes = entrer(client, "64 0000354").context["form"].errors["login"]

    assert fautes == [
        "Votre département a plusieurs Caf. "
        "Écrivez le code de la vôtre : 641 (Caf du Pays basque) ou 642 (Caf du Béarn)".replace(" :", "\u00a0:")
    ]


def test_neuf_chiffres_qui_disent_deux_dossiers_menent_a_celui_qui_existe(client: Client) -> None:
    CafFactory(code="111", departement="11", boutique="")
    ain = AllocataireFactory(caf=CafFactory(code="011", departement="01", boutique=""), numero="0000022")
    UtilisateurFactory(allocataire=ain)

    assert entrer(client, "110000022").status_code == 302


def test_outre_mer_le_departement_est_le_code_de_la_caf() -> None:
    assert lire_dossier("974 0000354") == ("974", "0000354")


def test_changer_d_ecriture_ne_donne_pas_d_essai_de_plus(client: Client, moi: None) -> None:
    adresse = reverse("account_login")
    for saisie in ["6610000354", "661 354", "66 0000354", "660000354", "66/354"]:
        client.post(adresse, {"login": saisie, "password": "mauvais"})

    assert entrer(client, "661 0000354").status_code == 200


@pytest.mark.parametrize(("suivant", "clavier"), [("/mon-compte/", "numeric"), ("/agents/", None)])
def test_le_clavier_des_chiffres_ne_s_ouvre_pas_devant_un_agent(client: Client, suivant: str, clavier) -> None:
    form = client.get(reverse("account_login"), {"next": suivant}).context["form"]

    assert form.fields["login"].widget.attrs.get("inputmode") == clavier


def test_un_champ_vide_dit_lequel_remplir(client: Client) -> None:
    erreurs = client.post(reverse("account_login")).context["form"].errors

    assert erreurs == {"login": ["Indiquez votre identifiant"], "password": ["Indiquez votre mot de passe"]}


@pytest.mark.parametrize(
    ("mot_de_passe", "phrase"),
    [
        ("7284619305", "Ajoutez au moins une lettre"),
        ("courte", "Écrivez au moins 10 caractères"),
    ],
)
def test_un_mot_de_passe_refuse_dit_quoi_faire(client: Client, moi: None, mot_de_passe: str, phrase: str) -> None:
    saisie = {"identifiant": "6610000354", "code": "0", "mot_de_passe": mot_de_passe, "confirmation": mot_de_passe}

    erreurs = client.post(reverse("comptes:premiere_connexion"), saisie).context["form"].errors

    assert [erreur.replace("\u00a0", " ") for erreur in erreurs["mot_de_passe"]] == [phrase]
