"""La base embarquée : démarrer, arrêter, reprendre."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from outils import postgres
from outils.systeme import Empechement, wait_until


@pytest.fixture
def dossier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Un dossier pour une base de plus, que le test jette avec tout ce qu'elle a écrit."""
    dossier = tmp_path_factory.mktemp("base") / "pg"
    yield dossier
    postgres.erase(dossier)


def get_postmaster(url: str) -> int:
    with psycopg.connect(url) as connexion:
        donnees = connexion.execute("SHOW data_directory").fetchone()
    assert donnees
    return int((Path(donnees[0]) / "postmaster.pid").read_text().split()[0])


def test_une_base_arretee_puis_relancee_garde_ses_donnees_et_son_adresse(dossier: Path) -> None:
    url = postgres.start(dossier, durable=True)
    with psycopg.connect(url) as connexion:
        connexion.execute("CREATE TABLE memoire AS SELECT 42 AS valeur")

    postgres.stop(dossier)
    relancee = postgres.start(dossier, durable=True)

    assert relancee == url
    with psycopg.connect(relancee) as connexion:
        assert connexion.execute("SELECT valeur FROM memoire").fetchone() == (42,)
        assert connexion.execute("SHOW fsync").fetchone() == ("on",)


def test_le_journal_de_la_base_ne_repete_aucune_valeur(dossier: Path) -> None:
    url = postgres.start(dossier, durable=False)

    with psycopg.connect(url, autocommit=True) as connexion:
        connexion.execute("CREATE TABLE adresses (courriel varchar(30) UNIQUE)")
        connexion.execute("INSERT INTO adresses VALUES ('personne@exemple.fr')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connexion.execute("INSERT INTO adresses VALUES ('personne@exemple.fr')")

    journal = postgres._locate(dossier).journal.read_text()
    assert "duplicate key" in journal
    assert "exemple.fr" not in journal


def test_une_base_tuee_brutalement_reprend_au_lancement_suivant(dossier: Path) -> None:
    url = postgres.start(dossier, durable=True)
    with psycopg.connect(url) as connexion:
        connexion.execute("CREATE TABLE memoire AS SELECT 42 AS valeur")
    os.kill(get_postmaster(url), signal.SIGKILL)

    postgres.start(dossier, durable=True)

    with psycopg.connect(url) as connexion:
        assert connexion.execute("SELECT valeur FROM memoire").fetchone() == (42,)


def test_un_numero_repris_par_un_autre_programme_n_empeche_pas_de_repartir(dossier: Path) -> None:
    url = postgres.start(dossier, durable=False)
    serveur = postgres._locate(dossier)
    fichier = serveur.donnees / "postmaster.pid"
    trace = fichier.read_text().splitlines()
    postgres.stop(dossier)
    with subprocess.Popen(["/usr/bin/sleep", "60"], **serveur.run_as()) as autre:
        fichier.write_text("\n".join([str(autre.pid), *trace[1:]]) + "\n")

        postgres.start(dossier, durable=False)

        assert get_postmaster(url) != autre.pid
        autre.kill()


def test_demarrer_deux_fois_garde_le_meme_serveur(dossier: Path) -> None:
    url = postgres.start(dossier, durable=False)
    premier = get_postmaster(url)

    encore = postgres.start(dossier, durable=False)

    assert (encore, get_postmaster(encore)) == (url, premier)


def test_arreter_rompt_les_connexions_ouvertes_et_ne_laisse_aucun_processus(dossier: Path) -> None:
    url = postgres.start(dossier, durable=False)
    postmaster = get_postmaster(url)
    ouverte = psycopg.connect(url)

    postgres.stop(dossier)

    assert wait_until(lambda: not Path(f"/proc/{postmaster}").exists(), 5)
    with pytest.raises(psycopg.OperationalError):
        ouverte.execute("SELECT 1")
    ouverte.close()


def test_la_base_demande_son_mot_de_passe_et_n_ecoute_pas_le_reseau(dossier: Path) -> None:
    url = postgres.start(dossier, durable=False)
    role, _, suite = url.removeprefix("postgresql://").partition(":")
    faux = f"postgresql://{role}:faux@{suite.partition('@')[2]}"

    with psycopg.connect(url) as connexion:
        ecoute = connexion.execute("SHOW listen_addresses").fetchone()

    assert ecoute == ("",)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(faux)


def test_un_chemin_trop_long_pour_une_socket_est_raccourci(dossier: Path) -> None:
    long = dossier / ("très-long-dossier-" * 6)

    url = postgres.start(long, durable=False)

    with psycopg.connect(url) as connexion:
        assert connexion.execute("SELECT 1").fetchone() == (1,)
    postgres.erase(long)


def test_un_dossier_d_autrui_est_refuse(tmp_path: Path) -> None:
    cible, leurre = tmp_path / "cible", tmp_path / "leurre"
    cible.mkdir(mode=0o755)
    leurre.symlink_to(cible)

    with pytest.raises(Empechement, match="n'est pas à nous"):
        postgres.make_private(leurre, postgres._find_account(tmp_path))

    assert cible.stat().st_mode & 0o777 == 0o755
