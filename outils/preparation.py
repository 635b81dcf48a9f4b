"""Met la base et les fichiers de la démonstration en état de servir. Rejouable : ne refait pas ce qui est fait."""

import argparse
import os
import sys
from pathlib import Path

from outils.systeme import RACINE, Empechement

CAFS = ("661", "751", "598")


def main() -> None:
    """Tables, Caf, livraisons d'exemple, comptes, fichiers statiques : en un seul processus, pour aller vite."""
    analyseur = argparse.ArgumentParser(prog="python -m outils.preparation", description=__doc__)
    analyseur.add_argument("--comptes", type=Path, required=True, help="où écrire les comptes d'essai")
    analyseur.add_argument("--embarquee", action="store_true", help="la base est celle que la démonstration apporte")
    arguments = analyseur.parse_args()
    comptes: Path = arguments.comptes
    os.environ["DJANGO_SETTINGS_MODULE"] = "caf_remboursement.settings"

    import django
    from django.conf import settings
    from django.core.management import CommandError, call_command

    django.setup()
    from outils import compte_du_service, comptes_demo

    try:
        if arguments.embarquee:
            comptes_demo.adopter_la_base()
        comptes_demo.refuser_une_autre_base()
        call_command("migrate", interactive=False, verbosity=0)
        comptes_demo.marquer_la_base()
        if du_service := os.environ.get("DATABASE_URL_DU_SERVICE"):
            compte_du_service.poser_les_droits(du_service)
        call_command("charger_cafs", appliquer=True)
        call_command("importer_livraison", *(str(RACINE / "donnees/exemple" / caf) for caf in CAFS), appliquer=True)
        comptes_demo.preparer(comptes)
        if not _is_collected(Path(settings.STATIC_ROOT)):
            call_command("collectstatic", interactive=False, verbosity=0)
    except (CommandError, Empechement) as refus:
        sys.exit(str(refus))


def _is_collected(destination: Path) -> bool:
    """Dit si aucun fichier statique, à nous ou d'une bibliothèque, n'est plus récent que la dernière collecte."""
    manifeste = destination / "staticfiles.json"
    if not manifeste.exists():
        return False
    sources = [RACINE / "requirements", *RACINE.glob("static"), *RACINE.glob("*/static")]
    return not any(
        fichier.stat().st_mtime > manifeste.stat().st_mtime for source in sources for fichier in source.rglob("*")
    )


if __name__ == "__main__":
    main()
