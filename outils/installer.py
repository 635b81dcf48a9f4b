"""
Prépare tout ce qu'il faut pour `make demo` ou `make test`, sans rien demander.

S'exécute avec le Python du système, avant toute installation : bibliothèque standard seulement. Rejouable : ne fait
rien quand tout est déjà là.
"""

import argparse
import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from outils.systeme import DISQUE_PLEIN, RACINE, Empechement, is_disk_full, readable_errors

VENV = RACINE / ".venv"
PYTHON = VENV / "bin/python"
UV = "uv>=0.13,<0.14"
# Ce que contient chaque groupe : tout installer pour les tests suffit à la démonstration.
GROUPES = {"demo": ["demo"], "tests": ["tests", "demo"]}
PANGO = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
# Ce que les tests de production lancent pour de vrai, et son paquet.
PROGRAMMES = {"/usr/sbin/pgbouncer": "pgbouncer", "/usr/sbin/nginx": "nginx-light"}
# Ce que Debian demande avant de démarrer un service qu'elle installe ; 101 le refuse.
POLITIQUE = Path("/usr/sbin/policy-rc.d")


def main() -> None:
    """Installe le groupe demandé, puis ce que le système doit fournir."""
    analyseur = argparse.ArgumentParser(prog="python3 -m outils.installer", description=__doc__)
    analyseur.add_argument("groupe", choices=GROUPES, help="ce que l'on veut lancer ensuite")
    groupe = analyseur.parse_args().groupe
    with readable_errors():
        _check_python()
        _create_venv()
        _install(groupe)
        _provide("la fabrication des tickets PDF", [p for so, p in PANGO.items() if not _is_loadable(so)])
        if groupe == "tests":
            manquants = [] if shutil.which("chromium") else ["chromium"]
            # Le pilote de Playwright est un Node qui en a besoin ; une Debian nue ne l'a pas.
            manquants += [] if _is_loadable("libatomic.so.1") else ["libatomic1"]
            manquants += [paquet for programme, paquet in PROGRAMMES.items() if not Path(programme).exists()]
            _provide("les tests de navigateur et de production", manquants)


def _check_python() -> None:
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        version = ".".join(map(str, sys.version_info[:2]))
        raise Empechement(f"il faut Python 3.11, 3.12 ou 3.13 ; python3 est ici la version {version}.")


def _create_venv() -> None:
    """Crée .venv s'il n'existe pas, ou si son Python ne marche plus."""
    if PYTHON.exists() and _run([PYTHON, "-m", "pip", "--version"]).returncode == 0:
        return
    print("Préparation de l'environnement Python (.venv)…", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    creation = _run([sys.executable, "-m", "venv", VENV])
    if creation.returncode != 0 and "ensurepip" in creation.stdout:
        _provide("la création de l'environnement Python", ["python3-venv"])
        creation = _run([sys.executable, "-m", "venv", VENV])
    if creation.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        if "ensurepip" in creation.stdout:
            raise Empechement("il manque le module venv de Python. Tapez : apt-get install python3-venv")
        raise _explain("l'environnement Python n'a pas pu être créé", creation.stdout)


def _install(groupe: str) -> None:
    """Installe les versions figées, empreintes vérifiées, si la liste a changé depuis la dernière fois."""
    liste = RACINE / "requirements" / f"{groupe}.txt"
    if _get_witness(groupe).exists() and _get_witness(groupe).read_text() == _fingerprint(groupe):
        return
    print("Installation des bibliothèques Python (une à deux minutes la première fois)…", flush=True)
    options: list[str | Path] = ["install", "--require-hashes", "--quiet", "-r", liste]
    avec_uv = _run([PYTHON, "-m", "pip", "install", "--quiet", UV]).returncode == 0 and (
        _run([PYTHON, "-m", "uv", "pip", *options], VIRTUAL_ENV=str(VENV)).returncode == 0
    )
    # uv ne lit pas la configuration de pip (miroir d'entreprise, certificats) : pip fait la même chose, moins vite.
    if not avec_uv and (avec_pip := _run([PYTHON, "-m", "pip", *options])).returncode != 0:
        raise _explain("les bibliothèques Python n'ont pas pu être installées", avec_pip.stdout)
    for contenu in GROUPES[groupe]:
        _get_witness(contenu).write_text(_fingerprint(contenu))


def _get_witness(groupe: str) -> Path:
    """Le témoin de ce qui est installé, gardé avec l'installation."""
    return VENV / f".empreinte-{groupe}"


def _fingerprint(groupe: str) -> str:
    return hashlib.sha256((RACINE / "requirements" / f"{groupe}.txt").read_bytes()).hexdigest()


def _is_loadable(bibliotheque: str) -> bool:
    try:
        ctypes.CDLL(bibliotheque)
    except OSError:
        return False
    return True


def _provide(but: str, paquets: list[str]) -> None:
    """Installe des paquets Debian si l'on est root ; sinon dit la ligne à taper, et continue."""
    if not paquets:
        return
    ligne = "apt-get install --no-install-recommends " + " ".join(paquets)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installation, pour {but}, de : {' '.join(paquets)}…", flush=True)
        _run(["apt-get", "update", "-q"])
        with sans_service(programme.name for programme in map(Path, PROGRAMMES) if not programme.exists()):
            installation = _run([*ligne.split(), "-y", "-q"], DEBIAN_FRONTEND="noninteractive")
        if installation.returncode == 0:
            return
    print(f"Il manque de quoi assurer {but}. Tapez, en tant que root : {ligne}", file=sys.stderr, flush=True)


@contextmanager
def sans_service(services: Iterable[str]) -> Iterator[None]:
    """
    Le programme, et non le service : rien de ce qui s'installe ici ne démarre, ni maintenant ni avec la machine.

    Un nginx installé pour les essais ouvrirait le port 80 sur le réseau.
    """
    neufs, is_a_poser = list(services), not POLITIQUE.exists()
    if is_a_poser:
        POLITIQUE.write_text("#!/bin/sh\nexit 101\n")
        POLITIQUE.chmod(0o755)
    try:
        yield
    finally:
        if is_a_poser:
            POLITIQUE.unlink()
        if neufs and shutil.which("systemctl"):
            _run(["systemctl", "disable", *neufs])


def _run(commande: Sequence[str | Path], **environnement: str) -> subprocess.CompletedProcess[str]:
    """Lance une commande sans rien montrer ; sa sortie et ses erreurs reviennent ensemble dans `stdout`."""
    return subprocess.run(
        commande,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | environnement,
    )


def _explain(phrase: str, sortie: str) -> Empechement:
    """Une phrase pour l'écran d'après ce que l'outil a dit."""
    if is_disk_full(sortie):
        return Empechement(f"{phrase} : {DISQUE_PLEIN}")
    if any(
        indice in sortie for indice in ("NewConnectionError", "ConnectTimeout", "ProxyError", "from versions: none")
    ):
        return Empechement(
            f"{phrase} : le réseau ne répond pas. La première fois, il faut un accès aux paquets Python ; "
            "vérifiez la connexion ou le mandataire (HTTPS_PROXY), puis relancez la même commande."
        )
    return Empechement(f"{phrase}.\n{sortie.strip()[-1500:]}")


if __name__ == "__main__":
    main()
