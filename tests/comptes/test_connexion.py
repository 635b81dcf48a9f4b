"""Entrer : la même réponse pour tout ce qui est faux, des essais comptés, des adresses françaises."""

import socket
import time
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comptes.allauth import FAUX, TROP_D_ESSAIS
from comptes.cache import CacheTolerant
from comptes.models import Utilisateur
from tests.connexion import entrer
from tests.factories import MOT_DE_PASSE, AllocataireFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


def get_erreurs(reponse) -> list[str]:
    return reponse.context["form"].non_field_errors()


@pytest.mark.parametrize("saisie", ["6610000354", "661 0000354", " 661\u00a00000 354 "])
def test_l_identifiant_se_recopie_avec_ses_espaces(client: Client, saisie: str) -> None:
    UtilisateurFactory(allocataire=AllocataireFactory(numero="0000354"))

    reponse = entrer(client, saisie)

    assert (reponse.status_code, reponse.url) == (302, "/mon-compte/")


def test_un_compte_inconnu_et_un_mot_de_passe_faux_recoivent_la_meme_phrase(client: Client) -> None:
    connu = UtilisateurFactory()

    faux = entrer(client, connu.identifiant, "mauvais")
    inconnu = entrer(client, "6619999999", "mauvais")

    assert get_erreurs(faux) == get_erreurs(inconnu) == [FAUX]


def test_apres_cinq_essais_on_attend_cinq_minutes_pas_davantage(client: Client) -> None:
    identifiant = UtilisateurFactory().identifiant
    for _ in range(5):
        assert get_erreurs(entrer(client, identifiant, "mauvais")) == [FAUX]

    avec_le_bon = entrer(client, identifiant)

    assert get_erreurs(avec_le_bon) == [TROP_D_ESSAIS]
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert entrer(client, identifiant).status_code == 302


def test_des_espaces_ne_donnent_pas_cinq_essais_de_plus(client: Client) -> None:
    UtilisateurFactory(allocataire=AllocataireFactory(numero="0000354"))
    for _ in range(5):
        entrer(client, "6610000354", "mauvais")

    assert get_erreurs(entrer(client, "661 0000354")) == [TROP_D_ESSAIS]


def test_redis_eteint_on_entre_encore_et_les_essais_restent_comptes(client: Client, monkeypatch) -> None:
    eteint = CacheTolerant("redis://127.0.0.1:1", {"OPTIONS": {"socket_connect_timeout": 1}})
    monkeypatch.setattr(cache._connections._connections, "default", eteint)
    LocMemCache("secours", {}).clear()
    identifiant = UtilisateurFactory().identifiant

    entree = entrer(client, identifiant)
    client.logout()
    for _ in range(5):
        entrer(client, identifiant, "mauvais")

    assert entree.status_code == 302
    assert get_erreurs(entrer(client, identifiant)) == [TROP_D_ESSAIS]


def test_un_redis_muet_ne_fait_attendre_qu_une_fois() -> None:
    with socket.create_server(("127.0.0.1", 0)) as muet:
        delais = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}
        gele = CacheTolerant(f"redis://127.0.0.1:{muet.getsockname()[1]}", {"OPTIONS": delais})
        gele.get("premier")
        debut = time.monotonic()

        for essai in range(20):
            gele.set(f"essai-{essai}", essai)

    assert time.monotonic() - debut < 2  # vingt attentes en feraient quatre
    assert gele.get("essai-7") == 7


def test_un_compte_ferme_le_dit_a_qui_connait_son_mot_de_passe(client: Client) -> None:
    ferme = UtilisateurFactory(is_active=False)

    reponse = entrer(client, ferme.identifiant)

    assert reponse.url == reverse("account_inactive")
    assert "Ce compte est fermé" in client.get(reponse.url).content.decode()
    assert get_erreurs(entrer(client, ferme.identifiant, "mauvais")) == [FAUX]


def test_on_ne_sort_que_par_un_bouton(client: Client) -> None:
    entrer(client, UtilisateurFactory().identifiant)

    client.get(reverse("account_logout"))
    assert "_auth_user_id" in client.session
    client.post(reverse("account_logout"))

    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "adresse", ["/inscription/", "/connexion/inscription/", "/accounts/signup/", "/compte/courriel/"]
)
def test_on_ne_s_inscrit_pas(client: Client, adresse: str) -> None:
    assert client.get(adresse).status_code == 404


@pytest.mark.parametrize(
    ("nom", "adresse"),
    [
        ("account_login", "/connexion/"),
        ("account_logout", "/deconnexion/"),
        ("account_reset_password", "/mot-de-passe-oublie/"),
        ("comptes:premiere_connexion", "/premiere-connexion/"),
        ("account_change_password", "/compte/mot-de-passe/"),
        ("mfa_index", "/compte/double-authentification/"),
    ],
)
def test_les_adresses_sont_francaises(nom: str, adresse: str) -> None:
    assert reverse(nom) == adresse


@pytest.mark.parametrize("nom", ["account_login", "account_reset_password", "account_inactive"])
def test_les_pages_d_entree_se_lisent_sans_compte(client: Client, nom: str) -> None:
    assert client.get(reverse(nom)).status_code == 200


@pytest.mark.parametrize("nom", ["account_change_password", "account_reauthenticate", "mfa_index"])
def test_les_pages_de_securite_demandent_d_etre_entre(client: Client, nom: str) -> None:
    assert client.get(reverse(nom)).url.startswith("/connexion/")


def test_on_change_son_mot_de_passe_sans_etre_deconnecte(client: Client) -> None:
    utilisateur = UtilisateurFactory()
    entrer(client, utilisateur.identifiant)
    nouveau = "lune-seau-brique-feu"

    saisie = {"oldpassword": MOT_DE_PASSE, "password1": nouveau, "password2": nouveau}
    reponse = client.post(reverse("account_change_password"), saisie)

    utilisateur.refresh_from_db()
    assert reponse.url == "/mon-compte/"
    assert utilisateur.check_password(nouveau)
    assert client.session["_auth_user_id"] == str(utilisateur.pk)


@pytest.mark.parametrize("droits", [{"is_staff": True}, {"is_superuser": True}])
def test_un_compte_n_est_jamais_celui_d_un_allocataire_et_d_un_agent(droits: dict[str, bool]) -> None:
    with pytest.raises(IntegrityError, match="jamais_les_deux"):
        UtilisateurFactory(**droits)


def test_un_identifiant_s_enregistre_sous_la_forme_que_la_connexion_cherche() -> None:
    operateur = Utilisateur.objects.create_superuser(" Chef Exploitation ", MOT_DE_PASSE)

    assert operateur.identifiant == "chefexploitation"
    with pytest.raises(IntegrityError, match="identifiant_normalise"):
        UtilisateurFactory(identifiant="Chef")
