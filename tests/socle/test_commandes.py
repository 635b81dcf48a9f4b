"""Toutes les commandes de l'exploitant se tiennent de même : options, codes de sortie, une ligne par panne."""

import errno
import json
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from outils.systeme import RACINE
from socle.commandes import A_BLANC, Code, Commande


class Ecrire(Commande):
    ecrit = True

    def handle(self, **options):
        self.montrer({"lus": 2}, ["2 lus"])


class Lire(Commande):
    def handle(self, **options):
        self.montrer({"lus": 2}, ["2 lus"])
        with connection.cursor() as curseur:
            curseur.execute("SELECT 1")


def lancer(commande, *arguments):
    sortie = StringIO()
    try:
        call_command(commande(), *arguments, stdout=sortie)
    except CommandError as echec:
        return sortie.getvalue(), echec
    return sortie.getvalue(), None


def test_sans_appliquer_une_commande_qui_ecrit_dit_que_rien_ne_l_est():
    assert A_BLANC in lancer(Ecrire)[0]
    assert A_BLANC not in lancer(Ecrire, "--appliquer")[0]


def test_json_rend_un_seul_objet():
    assert json.loads(lancer(Ecrire, "--json")[0]) == {"applique": False, "lus": 2}


def test_une_commande_qui_lit_n_a_pas_d_option_pour_ecrire():
    with pytest.raises(CommandError, match="appliquer"):
        call_command(Lire(), "--appliquer")


@pytest.fixture
def base_eteinte():
    """La base n'écoute plus là où on la cherche."""
    reglages = connection.settings_dict
    port, reglages["PORT"] = reglages["PORT"], "9"
    hote, reglages["HOST"] = reglages["HOST"], "127.0.0.1"
    connection.close()
    yield
    reglages["PORT"], reglages["HOST"] = port, hote


@pytest.mark.django_db(transaction=True)
def test_base_eteinte_une_ligne_et_son_code(base_eteinte):
    _, echec = lancer(Lire)

    assert echec.returncode == Code.PAS_PU
    assert "La base n'a pas répondu" in str(echec)
    assert "\n" not in str(echec)


class Interrompre(Commande):
    def handle(self, **options):
        raise KeyboardInterrupt


def test_ctrl_c_n_est_pas_une_trace():
    sortie, echec = lancer(Interrompre, "--json")

    assert echec.returncode == Code.INTERROMPUE
    assert json.loads(sortie)["code"] == Code.INTERROMPUE


class Trebucher(Commande):
    def handle(self, **options):
        return {}["Madame DURAND"]


class Remplir(Commande):
    def handle(self, **options):
        raise OSError(errno.ENOSPC, "No space left on device", "/var/lib/rembourser/rejets")


def test_un_arret_imprevu_n_est_pas_un_constat():
    sortie, echec = lancer(Trebucher, "--json")

    assert echec.returncode == Code.PAS_PU
    assert json.loads(sortie)["code"] == Code.PAS_PU
    assert str(echec).startswith("Arrêt imprévu : KeyError (tests/socle/test_commandes.py:")
    assert "DURAND" not in str(echec)
    assert "\n" not in str(echec)


def test_un_disque_plein_se_nomme():
    assert "No space left on device: '/var/lib/rembourser/rejets'" in str(lancer(Remplir)[1])


REGLAGES = {"SECRET_KEY": "x", "DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://", "PAYZEN_MODE": "TEST"}


@pytest.mark.parametrize(
    ("faux", "dit"),
    [
        ({"PAYZEN_MODE": "RIEN_DE_TEL"}, "PAYZEN_MODE"),
        ({"DATABASE_URL": "postgresql://a:secret@b:secret/c"}, "DATABASE_URL"),
        ({"PAYZEN_BOUTIQUES": "{"}, "PAYZEN_BOUTIQUES"),
    ],
    ids=["un mode inconnu", "une adresse illisible", "des boutiques illisibles"],
)
def test_un_reglage_faux_est_une_ligne_et_le_code_trois(faux, dit):
    commande = [sys.executable, RACINE / "manage.py", "etat_service"]

    faite = subprocess.run(commande, env=REGLAGES | faux, capture_output=True, text=True, check=False)

    assert faite.returncode == Code.PAS_PU
    assert dit in faite.stderr
    assert "secret" not in faite.stderr
    assert faite.stderr.count("\n") == 1


class Seule(Ecrire):
    seule = True


@pytest.mark.django_db(transaction=True)
def test_deux_a_la_fois_la_seconde_est_refusee_d_une_phrase():
    autre = connection.copy()
    with autre.cursor() as curseur:
        curseur.execute("SELECT pg_advisory_lock(hashtextextended('commande test_commandes', 0))")

    _, echec = lancer(Seule, "--appliquer")
    a_blanc, _ = lancer(Seule)
    autre.close()

    assert (echec.returncode, str(echec)) == (
        Code.PAS_PU,
        "test_commandes tourne déjà : attendez sa fin, puis relancez.",
    )
    assert A_BLANC in a_blanc


class Avancer(Commande):
    def handle(self, **options):
        self.montrer({"vus": list(self.suivre(["a", "b"], "lettres"))}, [])


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("ecran", "options", "attendu"),
    [(Terminal(), [], "\r1/2 lettres\r2/2 lettres\n"), (Terminal(), ["--json"], ""), (StringIO(), [], "")],
    ids=["une personne regarde", "en JSON", "dans un fichier"],
)
def test_l_avancement_ne_se_dit_qu_a_une_personne_qui_regarde(ecran, options, attendu):
    call_command(Avancer(), *options, stdout=StringIO(), stderr=ecran, no_color=True)

    assert ecran.getvalue() == attendu
