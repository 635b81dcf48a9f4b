"""Les WAL se rangent entiers, ou pas : une copie coupée ne bloque jamais la suite, et la panne se dit."""

import os
import re
import resource
import subprocess
from pathlib import Path

import environ
import psycopg
import pytest
from django.conf import settings
from django.db import connection

from caf_remboursement.surveillance import etat, problemes
from caf_remboursement.surveillance.etat import mesurer
from outils import postgres
from outils.systeme import wait_until

RANGES = "/var/backups/rembourser/wal"
WAL = b"un segment" * 10_000


@pytest.fixture
def dossier(tmp_path):
    (tmp_path / "wal").mkdir()
    (tmp_path / "segment").write_bytes(WAL)
    return tmp_path


@pytest.fixture
def grappe(tmp_path_factory, monkeypatch):
    """Une grappe qui archive comme deploiement/ le dit, dans un dossier pas encore là ; l'état la regarde."""
    base = tmp_path_factory.mktemp("archivage") / "pg"
    with psycopg.connect(postgres.start(base, durable=False), autocommit=True) as ouverte:
        (donnees,) = ouverte.execute("SHOW data_directory").fetchone()
        ranges = Path(donnees).with_name("wal")
        commande = psycopg.sql.Literal(lire_la_commande().replace(RANGES, str(ranges)))
        ouverte.execute("ALTER SYSTEM SET archive_mode = on")
        ouverte.execute(psycopg.sql.SQL("ALTER SYSTEM SET archive_command = {}").format(commande))
    postgres.stop(base)
    url = postgres.start(base, durable=False)
    vue = connection.copy()
    vue.settings_dict |= environ.Env.db_url_config(url)
    monkeypatch.setattr(etat, "connection", vue)
    yield vue, ranges
    vue.close()
    postgres.erase(base)


def lire_la_commande():
    texte = Path(settings.BASE_DIR, "deploiement/postgresql/rembourser.conf").read_text()
    return re.search(r"^archive_command = '(.+)'$", texte, re.MULTILINE)[1]


def ranger(dossier, octets=resource.RLIM_INFINITY):
    """Ce que PostgreSQL lance ; `octets`, la place qu'il reste. Rend s'il croit le segment rangé."""
    commande = lire_la_commande().replace(RANGES, f"{dossier}/wal").replace("%p", "segment").replace("%f", "0001")
    limite = (octets, resource.RLIM_INFINITY)
    essai = subprocess.run(
        ["/bin/sh", "-c", commande],
        cwd=dossier,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limite),
    )
    return essai.returncode == 0


def test_un_segment_neuf_se_range_entier(dossier):
    assert ranger(dossier)

    assert [(range_.name, range_.read_bytes()) for range_ in (dossier / "wal").iterdir()] == [("0001", WAL)]


def test_un_segment_deja_range_l_est_encore(dossier):
    """PostgreSQL, arrêté juste après la copie, redemande de ranger ce qui l'est."""
    assert (ranger(dossier), ranger(dossier)) == (True, True)


def test_un_autre_segment_du_meme_nom_ne_s_ecrase_pas(dossier):
    (dossier / "wal/0001").write_bytes(b"celui d'une autre base")

    assert not ranger(dossier)

    assert (dossier / "wal/0001").read_bytes() == b"celui d'une autre base"


def test_une_copie_coupee_n_est_pas_un_segment_et_se_refait(dossier):
    assert not ranger(dossier, octets=4096)
    assert not (dossier / "wal/0001").exists()

    assert ranger(dossier)

    assert (dossier / "wal/0001").read_bytes() == WAL


@pytest.mark.django_db
def test_des_wal_que_rien_ne_range_se_disent_puis_se_rattrapent_seuls(bon_service, grappe):
    vue, ranges = grappe
    assert problemes.trouver(mesurer()) == []

    changer_de_segment(vue)
    assert wait_until(lambda: mesurer()["archivage_en_panne_depuis"] is not None, 300)
    (probleme,) = problemes.trouver(mesurer())
    ranges.mkdir()
    os.chown(ranges, ranges.parent.stat().st_uid, -1)
    changer_de_segment(vue)

    assert (probleme.cle, "df -h" in probleme.commande) == ("archivage", True)
    assert wait_until(lambda: mesurer()["archivage_en_panne_depuis"] is None, 300)
    assert wait_until(lambda: len(list(ranges.iterdir())) == 2, 300)


def changer_de_segment(vue):
    with vue.cursor() as curseur:
        curseur.execute("SELECT pg_logical_emit_message(true, 'essai', 'une écriture')")
        curseur.execute("SELECT pg_switch_wal()")
