"""Une session oubliée se ferme seule, se voit dans une liste, et se ferme de loin."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comptes.models import Utilisateur
from tests.connexion import entrer, entrer_en_agent
from tests.factories import AgentFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"


@pytest.fixture
def personne(client: Client) -> Utilisateur:
    utilisateur = UtilisateurFactory()
    entrer(client, utilisateur.identifiant)
    return utilisateur


@pytest.fixture
def agent(client: Client) -> Utilisateur:
    return entrer_en_agent(client, AgentFactory().utilisateur)


def dans(**duree: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**duree))


@pytest.mark.parametrize(("qui", "adresse", "minutes"), [("personne", "/mon-compte/", 15), ("agent", "/agents/", 20)])
def test_sans_activite_la_session_se_ferme_et_le_dit(client, request, qui, adresse, minutes) -> None:
    request.getfixturevalue(qui)
    client.get(adresse)

    with dans(minutes=minutes, seconds=1):
        renvoi = client.get(adresse)
        connexion = client.get("/connexion/").content.decode()

    assert renvoi.status_code == 302
    assert "login" in renvoi.url or "connexion" in renvoi.url
    assert f"{minutes} minutes sans activité" in connexion
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(("qui", "adresse", "minutes"), [("personne", "/mon-compte/", 14), ("agent", "/agents/", 19)])
def test_l_activite_prolonge_la_session(client, request, qui, adresse, minutes) -> None:
    request.getfixturevalue(qui)

    for fois in range(1, 5):
        with dans(minutes=minutes * fois):
            assert client.get(adresse).status_code == 200


def test_revenir_apres_le_delai_ramene_ou_l_on_etait(client, personne) -> None:
    client.get("/mon-compte/dettes/")

    with dans(minutes=16):
        renvoi = client.get("/mon-compte/dettes/").url
        retour = client.post(renvoi, {"login": personne.identifiant, "password": "correct-cheval-pile-agrafe"})

    assert retour.url == "/mon-compte/dettes/"


def test_une_page_annonce_la_fin_et_offre_de_rester(client, personne) -> None:
    html = client.get("/mon-compte/").content.decode()

    assert 'data-session="900"' in html
    assert reverse("comptes:prolonger") in html
    assert "js/session.js" in html
    assert "data-session" not in Client().get("/connexion/").content.decode()


def test_le_bureau_annonce_la_fin_aussi(client, agent) -> None:
    assert 'data-session="1200"' in client.get("/agents/").content.decode()


def test_rester_prolonge_et_ne_montre_rien(client, personne) -> None:
    with dans(minutes=14):
        assert client.post(reverse("comptes:prolonger")).status_code == 204
    with dans(minutes=28):
        assert client.get("/mon-compte/").status_code == 200
    with dans(minutes=50):
        assert client.post(reverse("comptes:prolonger")).status_code == 302


def test_la_liste_montre_chaque_appareil_et_l_on_ferme_les_autres(client, personne) -> None:
    autre = Client(HTTP_USER_AGENT=IPHONE, REMOTE_ADDR="192.0.2.7")
    entrer(autre, personne.identifiant)
    ici = Client(HTTP_USER_AGENT=FIREFOX)
    entrer(ici, personne.identifiant)

    liste = ici.get(reverse("usersessions_list")).content.decode()
    ici.post(reverse("usersessions_list"))

    for phrase in ("Safari sur iPhone", "Firefox sous Windows", "192.0.2.7", "cet appareil"):
        assert phrase in liste
    assert autre.get("/mon-compte/").url.startswith("/connexion/")
    assert client.get("/mon-compte/").url.startswith("/connexion/")
    assert ici.get("/mon-compte/").status_code == 200
    assert Session.objects.count() == 1


def test_la_liste_ne_montre_que_les_siennes(client, personne) -> None:
    ailleurs = Client(REMOTE_ADDR="192.0.2.99")
    entrer(ailleurs, UtilisateurFactory().identifiant)

    assert "192.0.2.99" not in client.get(reverse("usersessions_list")).content.decode()


@pytest.mark.parametrize("depuis", ["personne", None])
def test_un_gestionnaire_de_mots_de_passe_trouve_ou_changer(client, request, depuis) -> None:
    if depuis:
        request.getfixturevalue(depuis)

    assert client.get("/.well-known/change-password").url == reverse("account_change_password")


def test_une_cle_changee_ne_deconnecte_personne(client, personne, settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "nouvelle", [settings.SECRET_KEY]

    assert client.get("/mon-compte/").status_code == 200


@pytest.mark.parametrize(
    ("https", "attendus"), [("true", "__Host-session __Host-csrftoken"), ("false", "session csrftoken")]
)
def test_en_https_aucun_sous_domaine_ne_pose_nos_cookies(https: str, attendus: str) -> None:
    lire = "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    environnement = {**os.environ, "HTTPS": https, "DJANGO_SETTINGS_MODULE": "caf_remboursement.settings"}

    dit = subprocess.run([sys.executable, "-c", lire], env=environnement, capture_output=True, text=True, check=True)

    assert dit.stdout.strip() == attendus


def test_une_session_finie_n_en_laisse_pas_d_adresse(client, personne) -> None:
    assert UserSession.objects.count() == 1

    client.logout()
    entrer(client, personne.identifiant)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    call_command("clearsessions")

    assert not UserSession.objects.exists()
