"""Le démarrage : ce qui est exigé, ce qui est refusé, et le redémarrage."""

import signal
import sqlite3
import subprocess

import pytest

from tests.simulateur_payzen.plateforme import SITE, attendre, is_pret, lancer, lire, trouver_port


def demarrer_en_vain(environnement, **changements):
    """Lance le serveur avec un environnement changé ; rend son code et ce qu'il dit."""
    complet = {nom: valeur for nom, valeur in {**environnement, **changements}.items() if valeur is not None}
    processus = lancer(complet, "serveur", "--port", str(trouver_port()), sortie=subprocess.PIPE)
    try:
        sortie, _ = processus.communicate(timeout=120)
    finally:
        processus.kill()
    return processus.returncode, sortie.decode()


@pytest.mark.parametrize("debug", ["non", "", "False", None])
def test_le_simulateur_refuse_de_demarrer_en_production(environnement, debug):
    code, sortie = demarrer_en_vain(environnement, DEBUG=debug)

    assert code == 2
    assert "refuse de démarrer" in sortie
    assert "Traceback" not in sortie


@pytest.mark.parametrize("nom", ["SIMULATEUR_SECRET_KEY", "SIMULATEUR_BASE", "SIMULATEUR_BOUTIQUES"])
def test_une_variable_manquante_est_nommee(environnement, nom):
    code, sortie = demarrer_en_vain(environnement, **{nom: None})

    assert code == 2
    assert nom in sortie


@pytest.mark.parametrize("boutiques", ["{", "[]", '{"1": {}}', '{"12345678": {"nom": "x"}}'])
def test_des_boutiques_illisibles_sont_refusees(environnement, boutiques):
    code, sortie = demarrer_en_vain(environnement, SIMULATEUR_BOUTIQUES=boutiques)

    assert code == 2
    assert "SIMULATEUR_BOUTIQUES" in sortie


@pytest.mark.parametrize(
    ("nom", "valeur", "phrase"),
    [
        ("SIMULATEUR_REGLES", "fin,faux", "règles inconnues : faux"),
        ("SIMULATEUR_ALGORITHME", "MD5", "algorithme inconnu : MD5"),
        ("SIMULATEUR_PANNE_IPN", "fausse", "panne ipn inconnue : fausse"),
    ],
)
def test_un_reglage_faux_est_refuse(environnement, nom, valeur, phrase):
    code, sortie = demarrer_en_vain(environnement, **{nom: valeur})

    assert code == 2
    assert phrase in sortie


def test_la_formation_demarre_sans_debug_et_sigint_l_arrete(environnement, tmp_path):
    reglages = {"SIMULATEUR_REGLES": "fin,annulation", "SIMULATEUR_SESSION_S": "42", "SIMULATEUR_PANNE_REST": "html"}
    suite = {"DEBUG": "non", "SIMULATEUR_FORMATION": "oui", "SIMULATEUR_BASE": str(tmp_path / "neuve.sqlite3")}
    port = trouver_port()
    processus = lancer({**environnement, **suite, **reglages}, "serveur", "--port", str(port))
    try:
        attendre(lambda: is_pret(f"http://127.0.0.1:{port}", processus))
        boutique = lire(f"http://127.0.0.1:{port}/controle/").json()["boutiques"][SITE]
        lus = boutique["reglages"]
    finally:
        processus.send_signal(signal.SIGINT)
        code = processus.wait(120)

    assert (lus["regles"], lus["session_s"], code) == (["fin", "annulation"], 42, 0)
    assert boutique["pannes"]["rest"]["genre"] == "html"


def test_la_base_est_en_wal(simulateur):
    with sqlite3.connect(simulateur.dossier / "plateforme.sqlite3") as base:
        [(mode,)] = base.execute("PRAGMA journal_mode")
    base.close()

    assert mode == "wal"


def test_chaque_page_porte_ses_en_tetes(simulateur):
    page = simulateur.ouvrir().page

    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.text
    assert 'style="' not in page.text


def test_la_feuille_de_style_est_servie(simulateur):
    reponse = lire(f"{simulateur.base}/static/simulateur/simulateur.css")

    assert (reponse.status_code, reponse.headers["Content-Type"]) == (200, 'text/css; charset="utf-8"')
