"""Un mot de passe : le même d'un clavier à l'autre, et que personne ne devine."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from comptes import activation
from comptes.models import Utilisateur
from tests.connexion import entrer
from tests.factories import AllocataireFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
NOUVEAU = "lune-seau-brique-feu"


@pytest.fixture
def personne() -> Utilisateur:
    return UtilisateurFactory(
        allocataire=AllocataireFactory(
            numero="0000357", nom="Humbert", prenom="Anne-Lise", date_naissance=date(1954, 3, 12)
        )
    )


def choisir(client: Client, utilisateur: Utilisateur, code: str, mot_de_passe: str):
    saisie = {"identifiant": utilisateur.identifiant, "code": code, "mot_de_passe": mot_de_passe}
    return client.post(reverse("comptes:premiere_connexion"), {**saisie, "confirmation": mot_de_passe})


COURANTS = [
    "motdepasse1",
    "Motdepasse1",
    "M0tdepasse!!",
    "azerty12345",
    "soleil12345",
    "jetaime123",
    "doudou12345",
    "bonjour1234",
    "remboursermacaf",
    "caf2026caf",
    "aaaaaaaaab",
    "Été2026!!!",
    "chocolat.chat",
    "nicolas1985",
]


@pytest.mark.parametrize("mot_de_passe", COURANTS)
def test_un_mot_de_passe_courant_en_francais_se_refuse_avec_un_conseil(client, personne, mot_de_passe) -> None:
    code = activation.emettre([personne])[personne.identifiant]

    faute = choisir(client, personne, code, mot_de_passe).context["form"].errors["mot_de_passe"][0]

    assert "trop de gens" in faute or "se répète" in faute or "Trop peu" in faute


@pytest.mark.parametrize(
    "mot_de_passe",
    ["Humbert1954", "6610000357caf", "0000357-lune-feu", "lise-lune-feu", "12031954-lune-feu", "vive-le-1954-03-12"],
)
def test_ses_propres_donnees_se_refusent_et_le_code_sert_encore(client, personne, mot_de_passe) -> None:
    code = activation.emettre([personne])[personne.identifiant]

    faute = choisir(client, personne, code, mot_de_passe).context["form"].errors["mot_de_passe"][0]

    assert "votre nom" in faute
    assert choisir(client, personne, code, NOUVEAU).url == "/mon-compte/"


def test_un_inconnu_n_apprend_pas_le_nom_du_titulaire(client, personne) -> None:
    """Sans le bon code, rien ne dit si le mot de passe proposé contient le nom."""
    activation.emettre([personne])

    avec_le_nom, sans = (choisir(client, personne, "1234567890", m) for m in ("humbert-lune-feu", NOUVEAU))

    assert avec_le_nom.context["form"].errors == sans.context["form"].errors


def test_changer_de_mot_de_passe_refuse_aussi_son_nom(client, personne) -> None:
    entrer(client, personne.identifiant)
    saisie = {"oldpassword": "correct-cheval-pile-agrafe", "password1": "humbert-lune", "password2": "humbert-lune"}

    reponse = client.post(reverse("account_change_password"), saisie)

    assert "votre nom" in reponse.context["form"].errors["password1"][0]


@pytest.mark.parametrize(
    "mot_de_passe", [NOUVEAU, "correct-cheval-pile-agrafe", "bato-kelu-rimo-safe", "Le train de 8h12 est parti"]
)
def test_une_phrase_passe(client, personne, mot_de_passe) -> None:
    code = activation.emettre([personne])[personne.identifiant]

    assert choisir(client, personne, code, mot_de_passe).status_code == 302


def test_un_accent_ecrit_autrement_est_le_meme(client, personne) -> None:
    """« é » en un signe ou en deux, « œ » non : la forme NFKC, aux deux bouts."""
    code = activation.emettre([personne])[personne.identifiant]
    choisir(client, personne, code, "fe\u0301vrier-pluie-\uff11\uff12-vent")
    client.logout()

    assert entrer(client, personne.identifiant, "f\u00e9vrier-pluie-12-vent").url == "/mon-compte/"
