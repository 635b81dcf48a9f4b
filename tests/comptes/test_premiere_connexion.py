"""Le code reçu par courrier : une fois, trente jours, et la même phrase pour tout ce qui est faux."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comptes import activation
from comptes.models import CodeActivation, Utilisateur
from comptes.views import CODE_REFUSE
from tests.connexion import entrer
from tests.factories import MOT_DE_PASSE, UtilisateurFactory

pytestmark = pytest.mark.django_db
NOUVEAU = "lune-seau-brique-feu"


@pytest.fixture
def utilisateur() -> Utilisateur:
    return UtilisateurFactory()


@pytest.fixture
def code(utilisateur: Utilisateur) -> str:
    return activation.emettre([utilisateur])[utilisateur.identifiant]


def choisir(client: Client, identifiant: str, code: str, mot_de_passe: str = NOUVEAU, confirmation: str | None = None):
    saisie = {"identifiant": identifiant, "code": code, "mot_de_passe": mot_de_passe}
    saisie["confirmation"] = mot_de_passe if confirmation is None else confirmation
    return client.post(reverse("comptes:premiere_connexion"), saisie)


def fausser(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def is_refuse(reponse) -> bool:
    return reponse.status_code == 200 and reponse.context["form"].non_field_errors() == [CODE_REFUSE]


def test_le_bon_code_donne_un_mot_de_passe_et_fait_entrer(client: Client, utilisateur, code: str) -> None:
    avec_espaces = f"{utilisateur.identifiant[:3]} {utilisateur.identifiant[3:]}", f"{code[:5]} {code[5:]}"

    reponse = choisir(client, *avec_espaces)

    utilisateur.refresh_from_db()
    assert (reponse.status_code, reponse.url) == (302, "/mon-compte/")
    assert utilisateur.check_password(NOUVEAU)
    assert client.session["_auth_user_id"] == str(utilisateur.pk)


def test_un_code_ne_sert_pas_deux_fois(client: Client, utilisateur, code: str) -> None:
    choisir(client, utilisateur.identifiant, code)
    client.logout()

    encore = choisir(client, utilisateur.identifiant, code, "autre-mot-de-passe")

    utilisateur.refresh_from_db()
    assert is_refuse(encore)
    assert utilisateur.check_password(NOUVEAU)


def test_un_code_faux_un_compte_inconnu_et_un_compte_ferme_recoivent_la_meme_phrase(client, utilisateur, code) -> None:
    ferme = UtilisateurFactory(is_active=False)
    code_du_ferme = activation.emettre([ferme])[ferme.identifiant]

    reponses = [
        choisir(client, utilisateur.identifiant, fausser(code)),
        choisir(client, "6619999999", code),
        choisir(client, ferme.identifiant, code_du_ferme),
    ]

    assert all(is_refuse(reponse) for reponse in reponses)


def test_un_code_vaut_trente_jours(client: Client, utilisateur, code: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=30, seconds=1)):
        assert is_refuse(choisir(client, utilisateur.identifiant, code))


@pytest.mark.parametrize(
    ("mot_de_passe", "confirmation", "champ"),
    [
        ("court", "court", "mot_de_passe"),
        ("1234567890123", "1234567890123", "mot_de_passe"),
        (NOUVEAU, "x", "confirmation"),
    ],
)
def test_un_mauvais_mot_de_passe_ne_coute_pas_d_essai(
    client: Client, utilisateur, code: str, mot_de_passe: str, confirmation: str, champ: str
) -> None:
    for _ in range(6):
        reponse = choisir(client, utilisateur.identifiant, code, mot_de_passe, confirmation)

    assert list(reponse.context["form"].errors) == [champ]
    assert choisir(client, utilisateur.identifiant, code).status_code == 302


def test_le_mot_de_passe_ne_ressemble_pas_a_l_identifiant(client: Client, utilisateur, code: str) -> None:
    reponse = choisir(client, utilisateur.identifiant, code, f"a{utilisateur.identifiant}")

    assert "mot_de_passe" in reponse.context["form"].errors


def test_un_nouveau_code_remplace_celui_qui_attendait(utilisateur, code: str) -> None:
    nouveau = activation.emettre([utilisateur])[utilisateur.identifiant]

    assert utilisateur.codes_activation.count() == 1
    assert activation.activer(utilisateur.identifiant, code, NOUVEAU) is None
    assert activation.activer(utilisateur.identifiant, nouveau, NOUVEAU) == utilisateur


def test_demander_un_code_ne_retire_pas_le_mot_de_passe(utilisateur, code: str) -> None:
    utilisateur.refresh_from_db()

    assert utilisateur.check_password(MOT_DE_PASSE)


def test_le_code_n_est_jamais_garde(utilisateur, code: str) -> None:
    gardes = CodeActivation.objects.values_list("empreinte", flat=True)

    assert code not in gardes.get()
    assert len(gardes.get()) == 64


def test_une_meme_adresse_ne_brule_pas_les_codes_de_tous(client: Client, settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"premiere_connexion": "3/5m/ip"}

    reponses = [choisir(client, f"661000000{n}", "0000000000").status_code for n in range(4)]

    assert reponses == [200, 200, 200, 429]


def test_la_page_se_lit_sans_compte(client: Client) -> None:
    html = client.get(reverse("comptes:premiere_connexion")).content.decode()

    assert "Code reçu par courrier" in html
    assert html.count("<h1>") == 1


def test_qui_est_deja_entre_est_renvoye_chez_lui(client: Client) -> None:
    entrer(client, UtilisateurFactory().identifiant)

    assert client.get(reverse("comptes:premiere_connexion")).url == "/"


def test_une_cle_changee_n_annule_pas_les_lettres_en_route(client: Client, utilisateur, code: str, settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "nouvelle", [settings.SECRET_KEY]

    assert choisir(client, utilisateur.identifiant, code).url == "/mon-compte/"
