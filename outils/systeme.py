"""Ce que les outils demandent au système : messages lisibles, ports, processus liés au nôtre, dossiers privés."""

import ctypes
import errno
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

RACINE = Path(__file__).resolve().parent.parent
DISQUE_PLEIN = "le disque est plein. Libérez de la place (1 Go suffit), puis relancez la même commande."
# Sous la plage éphémère de Linux (32768 et plus) : un client ne peut pas occuper le port avant nous.
PORTS = range(20000, 32000)
PR_SET_PDEATHSIG = 1


class Empechement(Exception):
    """Ce qui empêche d'aller plus loin, en une phrase à montrer telle quelle, sans trace d'appels."""


@contextmanager
def readable_errors() -> Iterator[None]:
    """Change les erreurs que l'on sait expliquer en une phrase sur la sortie d'erreur et un code 1."""
    try:
        yield
    except Empechement as empechement:
        sys.exit(f"Arrêt : {empechement}")
    except OSError as erreur:
        if erreur.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sys.exit(f"Arrêt : {DISQUE_PLEIN}")


def is_port_free(port: int) -> bool:
    """Dit si l'on peut écouter sur ce port de la boucle locale."""
    with socket.socket() as prise:
        prise.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            prise.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def find_port() -> int:
    """Tire un port libre de la boucle locale, sous la plage éphémère."""
    for port in random.sample(PORTS, 50):
        if is_port_free(port):
            return port
    raise Empechement("aucun port libre n'a été trouvé entre 20000 et 32000 sur cette machine.")


def die_with_parent(numero: signal.Signals) -> Callable[[], None]:
    """
    Rend de quoi lier un processus à son parent, à passer en `preexec_fn`.

    Le noyau envoie le signal donné dès que le parent disparaît, même tué brutalement. Sans effet hors de Linux.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None).prctl

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, numero)

    return bind


def read_pid(fichier: Path, marque: str) -> int | None:
    """Rend le numéro noté dans un fichier de pid, si ce processus vit encore et porte la marque sur sa commande."""
    try:
        pid = int(fichier.read_text().split("\n", 1)[0])
        commande = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if marque.encode() in commande else None


def wait_until(condition: Callable[[], bool], secondes: float, pause: float = 0.05) -> bool:
    """Attend qu'une condition devienne vraie, demandée à chaque pause ; rend ce qu'elle vaut à la fin."""
    limite = time.monotonic() + secondes
    while not condition():
        if time.monotonic() > limite:
            return False
        time.sleep(pause)
    return True


def make_private(dossier: Path, compte: pwd.struct_passwd) -> Path:
    """
    Crée un dossier fermé aux autres, à ce compte, et le rend.

    :raises Empechement: si quelqu'un d'autre a posé là un dossier ou un lien avant nous
    """
    dossier.mkdir(mode=0o700, parents=True, exist_ok=True)
    if dossier.is_symlink() or dossier.stat().st_uid not in (compte.pw_uid, os.geteuid()):
        raise Empechement(f"le dossier {dossier} n'est pas à nous ; effacez-le, puis relancez.")
    if os.geteuid() == 0:
        os.chown(dossier, compte.pw_uid, compte.pw_gid)
    dossier.chmod(0o700)
    return dossier


def write_private(fichier: Path, texte: str) -> None:
    """Écrit un fichier que son seul propriétaire peut lire, en entier ou pas du tout."""
    brouillon = fichier.with_name(f".{fichier.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(brouillon, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as flux:
            flux.write(texte)
        brouillon.replace(fichier)
    finally:
        brouillon.unlink(missing_ok=True)


def is_disk_full(sortie: str) -> bool:
    """Dit si c'est faute de place qu'un programme a échoué, d'après ce qu'il a imprimé."""
    return any(indice in sortie for indice in ("No space left", "Disk quota", "disk is full"))


def get_free_space(dossier: Path) -> int:
    """La place que notre compte peut encore écrire là, en Mo."""
    systeme = os.statvfs(dossier)
    return systeme.f_bavail * systeme.f_frsize // 1_000_000


def remove_tree(dossier: Path) -> None:
    """Efface un dossier et tout ce qu'il contient ; n'échoue pas s'il n'existe pas."""
    if dossier.exists():
        shutil.rmtree(dossier)
