"""Ce que la main, le tableur ou le courrier abîment : les codes et les identifiants y survivent."""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from comptes import activation
from comptes.identifiants import normaliser
from comptes.models import Utilisateur
from tests.connexion import entrer
from tests.factories import AllocataireFactory, CafFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
NOUVEAU = "lune-seau-brique-feu"


@pytest.fixture
def personne() -> Utilisateur:
    """D'une Caf dont le code commence par zéro."""
    return UtilisateurFactory(allocataire=AllocataireFactory(caf=CafFactory(code="011"), numero="0000022"))


def choisir(client: Client, identifiant: str, code: str):
    saisie = {"identifiant": identifiant, "code": code, "mot_de_passe": NOUVEAU, "confirmation": NOUVEAU}
    return client.post(reverse("comptes:premiere_connexion"), saisie)


def passer_par_un_tableur(texte: str) -> list[list[str]]:
    """Ce qu'un tableur fait d'un CSV : une cellule qui a l'air d'un nombre en devient un, et perd ses zéros."""
    lignes = csv.reader(io.StringIO(texte), delimiter=";")
    return [[str(int(cellule)) if cellule.isdigit() else cellule for cellule in ligne] for ligne in lignes]


def test_le_fichier_des_codes_survit_a_un_tableur(client: Client, personne, tmp_path: Path) -> None:
    call_command(
        "emettre_codes", "011", sortie=tmp_path / "codes.csv", identifiant=[personne.identifiant], appliquer=True
    )

    _, (identifiant, code) = passer_par_un_tableur((tmp_path / "codes.csv").read_text())

    assert identifiant == "011 0000022"
    assert choisir(client, identifiant, code).url == "/mon-compte/"


def test_les_zeros_perdus_d_un_identifiant_sont_rendus(client: Client, personne) -> None:
    code = activation.emettre([personne])[personne.identifiant]

    assert choisir(client, "110000022", code).url == "/mon-compte/"
    client.logout()
    assert entrer(client, "110000022", NOUVEAU).url == "/mon-compte/"


def test_un_code_ne_commence_jamais_par_zero(personne) -> None:
    codes = {activation.emettre([personne])[personne.identifiant] for _ in range(60)}

    assert all(len(code) == 10 and code[0] != "0" for code in codes)


@pytest.mark.parametrize(
    ("identifiant", "ecrit"),
    [
        ("011-0000022", "{0}-{1}"),
        ("011.0000022", "{0}.{1}"),
        ("O11 OOOOO22", "{0} {1}"),
        ("oii 0000022", "{0}\u2013{1}"),
        ("\uff10\uff11\uff11 0000022", " {0}\u00a0{1} "),
    ],
)
def test_tirets_points_et_lettres_o_ou_i_se_pardonnent(client: Client, personne, identifiant, ecrit) -> None:
    code = activation.emettre([personne])[personne.identifiant]
    recopie = ecrit.format(code[:5], code[5:].replace("0", "O").replace("1", "I"))

    assert choisir(client, identifiant, recopie).url == "/mon-compte/"


@pytest.mark.parametrize(
    ("ecrit", "phrase"),
    [("123456789", "il n’y en a que 9"), ("12345678901", "il y en a 11"), ("mot de passe", "que des chiffres")],
)
def test_un_code_de_la_mauvaise_forme_se_dit_et_ne_coute_pas_d_essai(client, personne, ecrit, phrase) -> None:
    code = activation.emettre([personne])[personne.identifiant]

    for _ in range(6):
        reponse = choisir(client, personne.identifiant, ecrit)

    assert phrase in reponse.context["form"].errors["code"][0]
    assert choisir(client, personne.identifiant, code).url == "/mon-compte/"


@pytest.mark.parametrize("nom", ["prenom.nom", "olli", "lio-2", "mme.martin", "agent-0"])
def test_le_nom_d_un_agent_reste_tel_quel(nom: str) -> None:
    assert normaliser(nom.upper()) == nom
