"""Les comptes d'essai : ils ouvrent, se retrouvent, et ne touchent jamais à une autre base que celle de la démo."""

import json
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.urls import reverse

from comptes.models import Agent, Caf, Utilisateur
from outils import comptes_demo, demo
from outils.systeme import Empechement
from tests.connexion import calculer_code, entrer
from tests.factories import AllocataireFactory, CafFactory, DetteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def demonstration() -> None:
    """De quoi remplir les comptes de démonstration, dans trois Caf."""
    comptes_demo.marquer_la_base()
    situations = [("661", "0000354", 4, False), ("751", "0000360", 3, True), ("661", "0000355", 30, False)]
    for code, numero, combien, radie in [*situations, ("598", "0000370", 0, False)]:
        allocataire = AllocataireFactory(caf=CafFactory(code=code, boutique=""), numero=numero, radie=radie)
        for _ in range(combien):
            DetteFactory(allocataire=allocataire)


def test_la_demonstration_a_ses_comptes_et_ils_ouvrent(tmp_path: Path, demonstration: None) -> None:
    fichier = tmp_path / "comptes.json"

    comptes_demo.preparer(fichier)

    comptes = json.loads(fichier.read_text())
    assert [c["identifiant"] for c in comptes[:4]] == ["6610000354", "7510000360", "6610000355", "5980000370"]
    assert len(comptes) == 5 + len(Agent.Role)  # l'exploitant compris
    assert fichier.stat().st_mode & 0o777 == 0o600
    assert Caf.objects.get(pk="598").boutique == "59800001"
    for compte in comptes:
        client = Client()
        arrivee = entrer(client, compte["identifiant"], compte["mot_de_passe"]).url
        if "secret_totp" in compte:
            arrivee = client.post(reverse("mfa_authenticate"), {"code": calculer_code(compte["secret_totp"])}).url
        assert client.get(arrivee).status_code == 200


def test_relancer_la_preparation_ne_change_rien_et_refaire_retrouve_les_comptes(
    tmp_path: Path, demonstration: None
) -> None:
    fichier = tmp_path / "comptes.json"
    comptes_demo.preparer(fichier)
    avant = fichier.read_text()

    comptes_demo.preparer(fichier)
    assert fichier.read_text() == avant

    fichier.unlink()
    comptes_demo.preparer(fichier)
    assert [c["identifiant"] for c in json.loads(fichier.read_text())] == [c["identifiant"] for c in json.loads(avant)]
    assert Authenticator.objects.count() == len(Agent.Role) + 1


@pytest.mark.parametrize("geste", [comptes_demo.refuser_une_autre_base, comptes_demo.marquer_la_base])
def test_une_base_qui_a_servi_a_autre_chose_n_est_pas_touchee(tmp_path: Path, geste) -> None:
    personne = UtilisateurFactory()

    for essai in (geste, lambda: comptes_demo.preparer(tmp_path / "comptes.json")):
        with pytest.raises(Empechement, match="pas celle d'une démonstration"):
            essai()

    assert Utilisateur.objects.get().password == personne.password
    assert not (tmp_path / "comptes.json").exists()


def test_la_base_embarquee_d_une_version_qui_ne_la_marquait_pas_reste_celle_de_la_demonstration() -> None:
    UtilisateurFactory()

    comptes_demo.adopter_la_base()

    comptes_demo.refuser_une_autre_base()
    assert Utilisateur.objects.exists()


@pytest.mark.parametrize(("url", "embarquee"), [("", True), ("postgresql://ailleurs/base", False)])
def test_seule_la_base_que_la_demonstration_apporte_est_la_sienne_sans_marque(monkeypatch, tmp_path, url, embarquee):
    monkeypatch.setenv("DATABASE_URL", url)

    assert ("--embarquee" in demo._get_preparation(tmp_path)) is embarquee


def test_une_base_sans_tables_peut_devenir_celle_de_la_demonstration() -> None:
    with connection.cursor() as curseur:
        curseur.execute("ALTER TABLE comptes_utilisateur RENAME TO ailleurs")

    comptes_demo.adopter_la_base()
    comptes_demo.refuser_une_autre_base()


def test_la_demonstration_ne_se_prepare_pas_en_production(tmp_path: Path, demonstration: None, settings) -> None:
    settings.PAYZEN_MODE = "PRODUCTION"

    with pytest.raises(Empechement, match="production"):
        comptes_demo.preparer(tmp_path / "comptes.json")

    assert not Utilisateur.objects.exists()


def test_sans_les_livraisons_la_preparation_dit_quoi_lancer(tmp_path: Path) -> None:
    with pytest.raises(Empechement, match="charger_cafs"):
        comptes_demo.preparer(tmp_path / "comptes.json")

    assert not (tmp_path / "comptes.json").exists()


def test_un_mot_de_passe_tire_se_dicte() -> None:
    tires = {comptes_demo.tirer_mot_de_passe() for _ in range(100)}

    assert len(tires) == 100
    assert all(len(tire) == 19 and tire.count("-") == 3 for tire in tires)
