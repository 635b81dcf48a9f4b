"""
La base des tests, migrée une fois et gardée : rejouer les migrations coûte dix-sept secondes de processeur.

Son nom est l'empreinte de ce qui la fait, migrations et versions installées : rien à invalider, elle n'est trouvée que
si elle est la même. La première fois, ou après une migration de plus, on migre, puis on la garde.
"""

import hashlib
import os
import tarfile
from pathlib import Path

import psycopg

from outils import postgres
from outils.systeme import RACINE

BASE, TESTS = "moule", f"test_{postgres.ROLE}"
LIEU = RACINE / ".venv" / "moules"
GARDES = 4


def get_archive() -> Path:
    """Le fichier où cette base-là est, ou sera, gardée."""
    empreinte = hashlib.sha256()
    for chemin in sorted([*RACINE.glob("*/migrations/*.py"), *RACINE.glob("requirements/*.txt")]):
        empreinte.update(f"{chemin.relative_to(RACINE)}\0".encode() + chemin.read_bytes())
    return LIEU / f"{empreinte.hexdigest()[:16]}.tar"


def start(dossier: Path) -> tuple[str, bool]:
    """Démarre la base des tests ; rend son adresse, et vrai si elle est déjà migrée."""
    archive = get_archive()
    migree = archive.exists()  # une seule fois : une autre exécution la garde peut-être en ce moment
    if migree:
        lieu = postgres._locate(dossier).lieu
        with tarfile.open(archive) as tar:
            tar.extractall(lieu, filter="fully_trusted")  # noqa: S202 (le nôtre, dans un dossier à nous seuls)
        archive.touch()
    url = postgres.start(dossier, durable=False)
    if migree:
        _copy(url, BASE, TESTS)
    return url, migree


def cast(url: str) -> None:
    """Prend l'empreinte de la base que les migrations viennent de faire ; à appeler sans y être connecté."""
    _copy(url, TESTS, BASE)


def keep(dossier: Path) -> None:
    """Garde la base, arrêtée, si elle a été moulée ; les plus vieilles s'effacent."""
    archive, lieu = get_archive(), postgres._locate(dossier).lieu
    LIEU.mkdir(mode=0o700, exist_ok=True)
    brouillon = archive.with_suffix(f".{os.getpid()}")
    try:
        with tarfile.open(brouillon, "w") as tar:
            tar.add(lieu, ".", filter=lambda membre: None if membre.name == "./journal" else membre)
        brouillon.rename(archive)
    finally:
        brouillon.unlink(missing_ok=True)
    for vieille in sorted(LIEU.glob("*.tar"), key=lambda chemin: chemin.stat().st_mtime)[:-GARDES]:
        vieille.unlink(missing_ok=True)


def _copy(url: str, modele: str, copie: str) -> None:
    with psycopg.connect(url, autocommit=True) as connexion:
        connexion.execute(f"DROP DATABASE IF EXISTS {copie}")
        connexion.execute(f"CREATE DATABASE {copie} TEMPLATE {modele}")
