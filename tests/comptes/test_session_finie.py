"""Une session qui finit : on dit pourquoi, ce qui est gardé, où l'on va, et rien de tapé ne se perd."""

import json
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from demarches.formulaires import nommer
from demarches.models import Demarche
from socle import frappe
from tests.factories import MOT_DE_PASSE, DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def demarche() -> Demarche:
    """Un brouillon arrivé au récapitulatif ; personne n'est connecté."""
    auteur = UtilisateurFactory()
    return DemarcheFactory(auteur=auteur, lignes={DetteFactory(allocataire=auteur.allocataire): Decimal(20)})


def lire(reponse) -> str:
    return " ".join(reponse.content.decode().replace("\u00a0", " ").split())


def entrer(client: Client, connexion: str, utilisateur) -> str:
    """Se connecte depuis l'adresse où l'on a été renvoyé ; rend celle où l'on arrive."""
    return client.post(connexion, {"login": utilisateur.identifiant, "password": MOT_DE_PASSE}).url


def montants(demarche: Demarche) -> str:
    return reverse("demarches:montants", args=[demarche.reference])


def test_au_retour_de_payzen_on_dit_que_le_paiement_est_garde(client: Client) -> None:
    paiement = PaiementFactory(accepte=True)
    retour = reverse("paiements:retour", args=[paiement.reference])

    connexion = client.get(retour).url

    page = lire(client.get(connexion))
    assert "Vous revenez de PayZen" in page
    assert "Votre paiement, si vous l’avez fait, est gardé : ne payez pas une deuxième fois." in page
    assert entrer(client, connexion, paiement.demarche.auteur) == retour


def test_au_milieu_d_une_demarche_on_dit_qu_elle_est_gardee(client: Client, demarche: Demarche) -> None:
    page = lire(client.get(client.get(montants(demarche)).url))

    assert "Votre session a pris fin" in page
    assert "Votre démarche est gardée. Connectez-vous : vous reprendrez où vous en étiez." in page


@pytest.mark.parametrize(
    ("nom", "ou"),
    [("comptes:mon_compte", "Mon compte"), ("dettes:liste", "Mes dettes"), ("suivi:liste", "Mes démarches")],
)
def test_une_page_demandee_est_nommee(client: Client, nom: str, ou: str) -> None:
    assert f"Vous irez ensuite à {ou}." in lire(client.get(client.get(reverse(nom)).url))


@pytest.mark.parametrize("suivant", ["", "/n-existe-pas/", "https://ailleurs.example/x", "/agents/", "/aide/"])
def test_qui_ne_venait_de_nulle_part_ne_lit_rien_de_plus(client: Client, suivant: str) -> None:
    page = lire(client.get(reverse("account_login"), {"next": suivant}))

    assert "session a pris fin" not in page
    assert "Vous irez" not in page


def test_ce_que_l_on_venait_d_ecrire_est_dit_garde_et_revient(client: Client, demarche: Demarche) -> None:
    champ, auteur = nommer(demarche.lignes.get().dette_id), demarche.auteur
    saisie = {"mode": "AFFECTE", champ: "33,33", "faire": "continuer", "pour": str(auteur.pk)}

    connexion = client.post(montants(demarche), saisie).url

    assert "ce que vous veniez d’écrire aussi" in lire(client.get(connexion))
    assert 'value="33,33"' in lire(client.get(entrer(client, connexion, auteur)))


def test_l_adresse_tapee_sur_la_premiere_page_est_dite_gardee(client: Client) -> None:
    connexion = client.post(reverse("demarches:commencer"), {"courriel": "ines@exemple.fr", "etape": "1"}).url

    assert "ce que vous veniez d’écrire aussi" in lire(client.get(connexion))


@pytest.mark.parametrize(("nom", "quoi"), [("demarches:commencer", []), ("admin:paiement_geste", [1, "restituer"])])
def test_qui_n_est_pas_connecte_n_emplit_pas_la_base_de_sessions(nom: str, quoi: list[object], settings) -> None:
    """Chaque envoi en ferait une, aussi grosse que ce qu'il envoie."""
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "frappe": "2/m/ip"}

    for _ in range(4):
        reponse = Client().post(reverse(nom, args=quoi), {"courriel": "ines@exemple.fr", "etape": "1"})

    assert reponse.url.startswith(reverse("account_login"))
    assert Session.objects.count() == 2


def test_une_saisie_demesuree_ne_se_garde_pas_entiere(client: Client) -> None:
    envoi = {"courriel": "é" * 90_000, "faire": "f" * 90_000, "pour": "1" * 90_000, "n" * 90_000: "a"}

    client.post(reverse("demarches:commencer"), urlencode(envoi), content_type="application/x-www-form-urlencoded")

    assert len(json.dumps(client.session[frappe.CLE])) < 9_000
