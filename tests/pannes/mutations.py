"""
Ôter une garde, et voir un test tomber : `python -m tests.pannes.mutations [mot…]`.

Chaque garde est retirée seule, dans une copie de l'arbre ; les tests visés y sont lancés et doivent échouer. Sans
mot, tout est essayé ; sinon, les seules gardes dont le nom contient l'un d'eux. Le tableau s'écrit sur la sortie.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from outils import postgres, valkey
from tests.pannes.gardes import GARDES, Garde

RACINE = Path(__file__).parents[2]
PIECES = ("socle", "comptes", "dettes", "demarches", "paiements")
MARQUE = re.compile(r"\s*(?:#|--) garde: ([a-z_]+(?:, [a-z_]+)*)")
A_LAISSER = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "staticfiles", "livraisons")
# Une migration de plus, après toutes les autres : la base d'essai naît sans la garde.
MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {dependances}
    operations = [migrations.RunSQL({sql!r})]
"""
# La garde d'une table est un déclencheur, une contrainte ou un index : elle n'en est qu'un.
OTER = """
DO $$ DECLARE g record; BEGIN
    FOR g IN SELECT tgname AS nom, tgrelid::regclass AS relation FROM pg_trigger
             WHERE tgname LIKE 'pgtrigger\\_{nom}\\_%' LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', g.nom, g.relation);
    END LOOP;
    FOR g IN SELECT conname AS nom, conrelid::regclass AS relation FROM pg_constraint WHERE conname = '{nom}' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', g.relation, g.nom);
    END LOOP;
    DROP INDEX IF EXISTS {nom};
END $$;
"""


class GardeIntrouvable(Exception):
    """Sa marque n'est plus dans le code, ou y est plusieurs fois, ou son retrait n'y change rien."""


class EssaiCasse(Exception):
    """Le test n'a pas pu se jouer : ce n'est pas la preuve qu'il tombe."""


@contextmanager
def copier() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mutation-") as dossier:
        copie = Path(dossier) / "arbre"
        shutil.copytree(RACINE, copie, ignore=A_LAISSER)
        yield copie


class Place(NamedTuple):
    """Le fichier et le rang de la ligne qu'une garde marque."""

    fichier: Path
    rang: int


def reperer(racine: Path) -> Iterator[tuple[str, Place]]:
    """Chaque nom de garde que le code marque, et où : à la fin d'une ligne, ou juste avant elle."""
    for piece in PIECES:
        for fichier in sorted((racine / piece).rglob("*.py")):
            for rang, ligne in enumerate(fichier.read_text().splitlines()):
                if trouvee := MARQUE.search(ligne):
                    place = Place(fichier, rang if ligne[: trouvee.start()].strip() else rang + 1)
                    yield from ((nom, place) for nom in trouvee[1].split(", "))


def oter(garde: Garde, copie: Path) -> None:
    """Retire la garde de la copie, dans le code ou dans la base."""
    if garde.retrait is None:
        apps = ("comptes", "dettes", "demarches", "paiements")
        dernieres = [(app, max(p.stem for p in (copie / app / "migrations").glob("0*.py"))) for app in apps]
        migration = MIGRATION.format(dependances=dernieres, sql=OTER.format(nom=garde.nom))
        (copie / "paiements/migrations/9999_sans_garde.py").write_text(migration)
        return
    place = trouver(garde, copie)
    lignes = place.fichier.read_text().splitlines(keepends=True)
    lignes[place.rang] = retirer(garde, lignes[place.rang])
    place.fichier.write_text("".join(lignes))


def retirer(garde: Garde, ligne: str) -> str:
    """
    La ligne sans sa garde.

    :raises GardeIntrouvable: si rien n'y change
    """
    marque = MARQUE.search(ligne)
    nue = ligne[: marque.start()] + "\n" if marque else ligne
    sans = garde.retrait(nue) if garde.retrait else nue
    if sans == nue:
        raise GardeIntrouvable(f"{garde.nom} : rien à retirer de « {nue.strip()} »")
    return sans


def trouver(garde: Garde, racine: Path) -> Place:
    """
    La ligne qu'une garde du code marque.

    :raises GardeIntrouvable: si elle n'y est pas, ou plusieurs fois
    """
    places = [place for nom, place in reperer(racine) if nom == garde.nom]
    if len(places) != 1:
        raise GardeIntrouvable(f"{garde.nom} : marquée {len(places)} fois")
    return places[0]


def essayer(tests: list[str], copie: Path, *, base_neuve: bool = False) -> tuple[int, str]:
    """Lance les tests dans la copie ; rend le code de pytest et le nom de ceux qui tombent."""
    base = ["--reuse-db", *(["--create-db"] if base_neuve else [])]
    commande = [sys.executable, "-m", "pytest", "-q", "--tb=no", "--show-capture=no", *base, *tests]
    fin = subprocess.run(commande, cwd=copie, capture_output=True, text=True, check=False, timeout=600)
    if fin.returncode not in (0, 1) or "\nERROR " in fin.stdout:
        raise EssaiCasse(fin.stdout[-2000:] + fin.stderr[-2000:])
    tombes = [ligne.split("::")[1].split(" - ")[0] for ligne in fin.stdout.splitlines() if ligne.startswith("FAILED")]
    return fin.returncode, ", ".join(sorted({nom.split("[")[0] for nom in tombes}))


def eprouver(garde: Garde) -> str:
    """Le nom des tests qui tombent sans la garde ; vide si aucun ne tombe."""
    with copier() as copie:
        oter(garde, copie)
        code, tombes = essayer([garde.test], copie, base_neuve=garde.retrait is None)
    return tombes if code == 1 else ""


def main(*mots: str) -> int:
    gardes = [garde for garde in GARDES if not mots or any(mot in garde.nom for mot in mots)]
    services = Path(tempfile.mkdtemp(prefix="mutations-services-"))
    services.chmod(0o711)
    os.environ["DATABASE_URL"] = postgres.start(services / "base", durable=False)
    os.environ["REDIS_URL"] = valkey.start(services / "courtier")
    try:
        with copier() as copie:
            code, tombes = essayer(sorted({garde.test for garde in gardes}), copie)
        if code:
            sys.exit(f"avec toutes leurs gardes, ces tests tombent déjà : {tombes or code}")
        seules = 0
        for garde in gardes:
            tombes = eprouver(garde)
            seules += not tombes
            print(f"| {garde.nom} | {tombes or 'AUCUN'} |", flush=True)  # noqa: T201 (ce programme parle à qui le lance)
    finally:
        valkey.stop(services / "courtier")
        postgres.erase(services / "base")
        shutil.rmtree(services, ignore_errors=True)
    return seules


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
