"""
`python -m simulateur_payzen serveur` prépare la base, puis sert jusqu'à SIGTERM ou SIGINT.

`… essai` fait de même, en tirant au sort ce qui n'est pas donné : de quoi essayer un marchand en une commande.
"""

import argparse
import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from . import essai
from .reglages import ReglageInvalide


def analyser() -> argparse.Namespace:
    """Lit la ligne de commande."""
    analyseur = argparse.ArgumentParser(prog="python -m simulateur_payzen", description="Plateforme PayZen simulée.")
    commandes = analyseur.add_subparsers(dest="commande", required=True)
    serveur = commandes.add_parser("serveur", help="migre la base SQLite, puis sert les pages, l'API et les IPN")
    complet = commandes.add_parser("essai", help="le même, avec une boutique et des clés tirées au sort si besoin")
    complet.add_argument(
        "--dossier", type=Path, default=Path(".simulateur"), help="où vivent ses données (.simulateur)"
    )
    for commande in (serveur, complet):
        commande.add_argument("--port", type=int, default=8001, help="port d'écoute (8001)")
        commande.add_argument("--adresse", default="127.0.0.1", help="adresse d'écoute (127.0.0.1)")
    return analyseur.parse_args()


def main() -> int:
    """Rend 2 si les réglages manquent ou interdisent le démarrage."""
    # Le simulateur se lance parfois depuis un processus du projet : ses réglages à lui l'emportent.
    os.environ["DJANGO_SETTINGS_MODULE"] = "simulateur_payzen.settings"
    options = analyser()
    if options.commande == "essai":
        essai.preparer(options.dossier.resolve(), os.environ)
    try:
        from .serveur import servir

        if options.commande == "essai":
            sys.stdout.write(essai.dire(settings.BOUTIQUES, f"http://{options.adresse}:{options.port}") + "\n")
            sys.stdout.flush()

        servir(options.adresse, options.port)
    except (ImproperlyConfigured, ReglageInvalide) as erreur:
        sys.stderr.write(f"{erreur}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
