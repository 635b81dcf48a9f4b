"""
Ôter une garde, et voir un test tomber : `python -m tests.pannes.mutations [mot]`.

Chaque garde est retirée seule, dans une copie de l'arbre ; les tests visés y sont lancés et doivent échouer. Sans
mot, tout est essayé et MUTATIONS.md est récrit ; avec un mot, seules les gardes dont le nom le contient.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from outils import postgres, valkey
from tests.pannes.gardes import GARDES, Garde

RACINE = Path(__file__).parents[2]
TABLEAU = Path(__file__).with_name("MUTATIONS.md")
A_LAISSER = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "staticfiles", "livraisons")
# Une migration de plus, après toutes les autres : la base d'essai naît sans la garde.
MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {dependances}
    operations = [migrations.RunSQL({sql!r})]
"""
OTER_LE_DECLENCHEUR = """
DO $$ DECLARE t record; BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS relation FROM pg_trigger
             WHERE tgname LIKE 'pgtrigger\\_{nom}\\_%' LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.relation);
    END LOOP;
END $$;
"""


class GardeIntrouvable(Exception):
    """Le texte à retirer n'est plus dans le code, ou y est plusieurs fois : la liste est à remettre à jour."""


class EssaiCasse(Exception):
    """Le test n'a pas pu se jouer : ce n'est pas la preuve qu'il tombe."""


@contextmanager
def copier() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mutation-") as dossier:
        copie = Path(dossier) / "arbre"
        shutil.copytree(RACINE, copie, ignore=A_LAISSER)
        yield copie


def oter(garde: Garde, copie: Path) -> None:
    """Retire la garde de la copie, dans le code ou dans la base."""
    if garde.sql:
        sql = OTER_LE_DECLENCHEUR.format(nom=garde.sql) if " " not in garde.sql else garde.sql
        apps = ("comptes", "dettes", "demarches", "paiements")
        dernieres = [(app, max(p.stem for p in (copie / app / "migrations").glob("0*.py"))) for app in apps]
        migration = MIGRATION.format(dependances=dernieres, sql=sql)
        (copie / "paiements/migrations/9999_sans_garde.py").write_text(migration)
        return
    (copie / garde.fichier).write_text(trouver(garde, copie).replace(garde.avant, garde.apres))


def trouver(garde: Garde, copie: Path) -> str:
    """
    Le texte du fichier de la garde, où elle est une fois ; vide pour une garde de la base.

    :raises GardeIntrouvable: si elle n'y est pas, ou plusieurs fois
    """
    texte = (copie / garde.fichier).read_text() if garde.fichier else ""
    if garde.fichier and texte.count(garde.avant) != 1:
        raise GardeIntrouvable(f"{garde.nom} : {texte.count(garde.avant)} fois dans {garde.fichier}")
    return texte


def essayer(tests: list[str], copie: Path) -> tuple[int, str]:
    """Lance les tests dans la copie ; rend le code de pytest et le nom de ceux qui tombent."""
    commande = [sys.executable, "-m", "pytest", "-q", "--tb=no", "--show-capture=no", *tests]
    fin = subprocess.run(commande, cwd=copie, capture_output=True, text=True, check=False, timeout=600)
    if fin.returncode not in (0, 1) or "\nERROR " in fin.stdout:
        raise EssaiCasse(fin.stdout[-2000:] + fin.stderr[-2000:])
    tombes = [ligne.split("::")[1].split(" - ")[0] for ligne in fin.stdout.splitlines() if ligne.startswith("FAILED")]
    return fin.returncode, ", ".join(sorted({nom.split("[")[0] for nom in tombes}))


def eprouver(garde: Garde) -> str:
    """Le nom des tests qui tombent sans la garde ; vide si aucun ne tombe."""
    with copier() as copie:
        oter(garde, copie)
        code, tombes = essayer([garde.test], copie)
    return tombes if code == 1 else ""


def ecrire(resultats: dict[Garde, str]) -> None:
    jour = f"{date.today():%d/%m/%Y}"  # noqa: DTZ011 (une date pour des humains)
    lignes = [
        "# Les gardes, et le test qui tombe sans elles",
        "",
        "Écrit par `python -m tests.pannes.mutations` : chaque garde est retirée seule, le test nommé doit échouer.",
        "",
        "| Garde | Où | Test qui tombe | Constaté |",
        "|---|---|---|---|",
        *(f"| {g.nom} | `{g.ou}` | `{tombes or 'AUCUN'}` | {jour} |" for g, tombes in resultats.items()),
    ]
    TABLEAU.write_text("\n".join(lignes) + "\n")


def main(mot: str = "") -> int:
    gardes = [garde for garde in GARDES if mot in garde.nom]
    with copier() as copie:
        for garde in gardes:
            trouver(garde, copie)
    services = Path(tempfile.mkdtemp(prefix="mutations-services-"))
    services.chmod(0o711)
    os.environ["DATABASE_URL"] = postgres.start(services / "base", durable=False)
    os.environ["REDIS_URL"] = valkey.start(services / "courtier")
    try:
        with copier() as copie:
            code, tombes = essayer(sorted({garde.test for garde in gardes}), copie)
        if code:
            sys.exit(f"avec toutes leurs gardes, ces tests tombent déjà : {tombes or code}")
        resultats = {}
        for garde in gardes:
            resultats[garde] = eprouver(garde)
            vu = resultats[garde] or "AUCUN TEST NE TOMBE"
            print(f"{garde.nom} : {vu}", flush=True)  # noqa: T201 (ce programme parle à qui le lance)
    finally:
        valkey.stop(services / "courtier")
        postgres.erase(services / "base")
        shutil.rmtree(services, ignore_errors=True)
    if not mot:
        ecrire(resultats)
    return sum(not tombes for tombes in resultats.values())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
