"""Une journée entière derrière PgBouncer en mode transaction (docs/adr/0058), par le fichier de deploiement/."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection

from outils import postgres
from outils.systeme import RACINE, find_port, wait_until
from paiements.surveillance.invariants import verifier
from tests.nuits.journee import CAF, gerer, lire_les_livres, vivre_l_apres_midi, vivre_le_matin
from tests.nuits.test_desastre import HORS_SUJET

PROGRAMME = Path("/usr/sbin/pgbouncer")
CONNEXIONS = 3  # bien moins que de clients : chaque transaction peut changer de connexion

pytestmark = [
    pytest.mark.skipif(not PROGRAMME.exists(), reason="sans PgBouncer : sudo apt-get install pgbouncer"),
    pytest.mark.django_db(transaction=True),
]


def ecrire_la_configuration(dossier: Path, port: int) -> Path:
    """Celle de deploiement/, où ne changent que les adresses, le compte et le nombre de connexions."""
    reglages = connection.settings_dict
    (dossier / "comptes.txt").write_text(f'"{reglages["USER"]}" "{reglages["PASSWORD"]}"\n')
    lieu = f"host={reglages['OPTIONS'].get('host') or reglages['HOST']}" + (
        f" port={reglages['PORT']}" if reglages["PORT"] else ""
    )
    texte = (RACINE / "deploiement/pgbouncer/pgbouncer.ini").read_text()
    for motif, valeur in {
        r"^rembourser = .*$": f"{reglages['NAME']} = {lieu} dbname={reglages['NAME']}",
        r"^listen_port = .*$": f"listen_port = {port}\nunix_socket_dir =",
        r"^auth_file = .*$": f"auth_file = {dossier / 'comptes.txt'}",
        r"^default_pool_size = .*$": f"default_pool_size = {CONNEXIONS}",
    }.items():
        texte, fois = re.subn(motif, valeur, texte, flags=re.MULTILINE)
        assert fois == 1, motif
    configuration = dossier / "pgbouncer.ini"
    configuration.write_text(texte)
    return configuration


@pytest.fixture
def pgbouncer(tmp_path_factory) -> Iterator[None]:
    """Toute connexion de cet essai, celles du serveur HTTP comprises, passe par lui."""
    dossier, port = tmp_path_factory.mktemp("pgbouncer"), find_port()
    configuration = ecrire_la_configuration(dossier, port)
    lieu = Path(connection.settings_dict["OPTIONS"].get("host", ""))
    compte: dict[str, int] = {}
    if os.geteuid() == 0:  # il refuse root ; celui de la base peut en ouvrir la socket
        proprietaire = (lieu / postgres.SOCKET).stat()
        compte = {"user": proprietaire.st_uid, "group": proprietaire.st_gid}
        for chemin in (dossier, *dossier.iterdir()):
            os.chown(chemin, proprietaire.st_uid, proprietaire.st_gid)
        dossier.parent.chmod(0o711)
        dossier.parent.parent.chmod(0o711)
    with (dossier / "journal").open("wb") as journal:
        lance = subprocess.Popen([PROGRAMME, configuration], stdout=journal, stderr=journal, **compte)  # type: ignore[call-overload]
    reglages = connection.settings_dict
    avant = dict(reglages)
    connection.close()
    try:
        reglages |= {"HOST": "127.0.0.1", "PORT": str(port), "DISABLE_SERVER_SIDE_CURSORS": True}
        # Comme DERRIERE_PGBOUNCER : rien ne se prépare sur une connexion que l'on ne garde pas.
        reglages["OPTIONS"] = {k: v for k, v in avant["OPTIONS"].items() if k != "host"} | {"prepare_threshold": None}
        assert wait_until(is_ouverte, 120), (dossier / "journal").read_text()
        yield
    finally:
        connection.close()
        reglages |= avant
        lance.send_signal(signal.SIGTERM)
        lance.wait(30)


def is_ouverte() -> bool:
    try:
        connection.ensure_connection()
    except Exception:  # psycopg ou Django, selon l'instant
        return False
    return True


def compter_les_connexions() -> int:
    with connection.cursor() as curseur:
        curseur.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(curseur.fetchone()[0])


def test_une_journee_entiere_tombe_juste(pgbouncer, demonstration, tmp_path):
    vivre_le_matin(demonstration, tmp_path)
    vivre_l_apres_midi(demonstration, tmp_path)

    livres = lire_les_livres()
    assert sorted(livres["paiements"].values()) == ["IMPUTE", "IMPUTE", "REJETE"]
    assert [sequence for sequence, *_ in livres["fichiers"]] == [1, 2]
    assert [v for v in verifier() if v.invariant.nom not in HORS_SUJET] == []
    assert compter_les_connexions() <= CONNEXIONS


def test_deux_commandes_a_la_fois_la_seconde_est_refusee(pgbouncer, demonstration, tmp_path):
    reglages = connection.settings_dict
    adresse = {
        "host": reglages["HOST"],
        "port": reglages["PORT"],
        "dbname": reglages["NAME"],
        "user": reglages["USER"],
        "password": reglages["PASSWORD"],
    }
    with psycopg.connect(**adresse) as autre:
        autre.execute("SELECT pg_advisory_xact_lock(hashtextextended('commande lire_journaux', 0))")
        with pytest.raises(CommandError, match="tourne déjà"):
            gerer("lire_journaux", str(demonstration.journaux), "--appliquer")

    # La place est rendue avec la transaction, et la connexion d'un autre ne la garde pas.
    gerer("lire_journaux", str(demonstration.journaux), "--appliquer")
    gerer("emettre_encaissements", CAF, "--dossier", str(tmp_path / "publies"), "--appliquer")
