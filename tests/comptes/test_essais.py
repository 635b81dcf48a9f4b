"""Les essais se comptent par compte et par adresse : on ne s'y dérobe pas, et on ne ferme pas la porte d'un autre."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comptes import activation
from comptes.allauth import TROP_D_ESSAIS
from comptes.models import Utilisateur
from comptes.views import CODE_REFUSE
from tests.connexion import entrer, entrer_en_agent
from tests.factories import AgentFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
NOUVEAU = "lune-seau-brique-feu"


@pytest.fixture
def victime() -> Utilisateur:
    return UtilisateurFactory()


@pytest.fixture
def inconnu() -> Client:
    return Client(REMOTE_ADDR="192.0.2.66")


def choisir(client: Client, utilisateur: Utilisateur, code: str):
    saisie = {"identifiant": utilisateur.identifiant, "code": code, "mot_de_passe": NOUVEAU, "confirmation": NOUVEAU}
    return client.post(reverse("comptes:premiere_connexion"), saisie)


def lire_les_refus(reponses) -> list[str]:
    return [reponse.context["form"].non_field_errors()[0] for reponse in reponses]


def test_changer_de_port_ou_de_casse_ne_donne_pas_d_essai_de_plus(victime) -> None:
    hotes = ["testserver", "testserver:20000", "TESTSERVER", "TestServer:1", "testserver."]
    for hote in hotes:
        entrer(Client(HTTP_HOST=hote), victime.identifiant, "mauvais")

    avec_le_bon = entrer(Client(HTTP_HOST="testserver:20001"), victime.identifiant)

    assert lire_les_refus([avec_le_bon]) == [TROP_D_ESSAIS]


def test_un_inconnu_ne_ferme_pas_la_porte_au_mot_de_passe_du_titulaire(client, inconnu, victime) -> None:
    for _ in range(6):
        entrer(inconnu, victime.identifiant, "mauvais")

    assert entrer(client, victime.identifiant).url == "/mon-compte/"


def test_un_inconnu_ne_brule_pas_le_code_du_titulaire(client, inconnu, victime) -> None:
    code = activation.emettre([victime])[victime.identifiant]
    refus = lire_les_refus(choisir(inconnu, victime, "1234567890") for _ in range(6))

    assert refus == [CODE_REFUSE] * 5 + [TROP_D_ESSAIS]
    assert choisir(client, victime, code).url == "/mon-compte/"


def test_apres_cinq_codes_faux_le_bon_attend_cinq_minutes_puis_sert(client, victime) -> None:
    code = activation.emettre([victime])[victime.identifiant]
    for _ in range(5):
        choisir(client, victime, "1234567890")

    assert lire_les_refus([choisir(client, victime, code)]) == [TROP_D_ESSAIS]
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert choisir(client, victime, code).url == "/mon-compte/"


@pytest.mark.parametrize("faire", [choisir, lambda client, victime, faux: entrer(client, victime.identifiant, faux)])
def test_l_attente_s_allonge_a_qui_insiste(client, victime, faire) -> None:
    """Cinq essais en cinq minutes, dix en une heure, vingt en un jour."""
    depart = timezone.now()

    def compter_les_essais_entendus(minutes: range) -> int:
        entendus = 0
        for minute in minutes:
            with time_machine.travel(depart + timedelta(minutes=minute)):
                refus = lire_les_refus(faire(client, victime, "1234567890") for _ in range(6))
            entendus += sum(phrase != TROP_D_ESSAIS for phrase in refus)
        return entendus

    assert compter_les_essais_entendus(range(0, 59, 15)) == 10
    assert compter_les_essais_entendus(range(61, 23 * 60, 240)) == 10


def test_changer_de_mot_de_passe_n_a_qu_une_porte_et_elle_compte(client) -> None:
    entrer_en_agent(client, AgentFactory().utilisateur)

    assert client.get("/agents/password_change/").url == reverse("account_change_password")
    saisie = {"oldpassword": "mauvais", "password1": NOUVEAU, "password2": NOUVEAU}
    statuts = [client.post(reverse("account_change_password"), saisie).status_code for _ in range(6)]
    assert statuts == [200] * 5 + [429]


def test_un_compte_inconnu_et_un_code_en_attente_font_le_meme_travail(django_assert_num_queries, victime) -> None:
    """L'écriture que faisait un code faux se mesurait à la montre."""
    activation.emettre([victime])

    for identifiant in (victime.identifiant, "6619999999"):
        with django_assert_num_queries(3) as requetes:  # point de reprise, lecture, fin
            assert activation.activer(identifiant, "1234567890", NOUVEAU) is None
        assert not [r for r in requetes if "UPDATE" in r["sql"]]
