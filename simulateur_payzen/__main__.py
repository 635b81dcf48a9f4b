"""`python -m simulateur_payzen serveur --port 8001` : prépare la base, puis sert jusqu'à SIGTERM ou SIGINT."""

import argparse
import os
import sys

from django.core.exceptions import ImproperlyConfigured

from .reglages import ReglageInvalide


def analyser() -> argparse.Namespace:
    """Lit la ligne de commande."""
    analyseur = argparse.ArgumentParser(prog="python -m simulateur_payzen", description="Plateforme PayZen simulée.")
    commandes = analyseur.add_subparsers(dest="commande", required=True)
    serveur = commandes.add_parser("serveur", help="migre la base SQLite, puis sert les pages, l'API et les IPN")
    serveur.add_argument("--port", type=int, default=8001, help="port d'écoute (8001)")
    serveur.add_argument("--adresse", default="127.0.0.1", help="adresse d'écoute (127.0.0.1)")
    return analyseur.parse_args()


def main() -> int:
    """Rend 2 si les réglages manquent ou interdisent le démarrage."""
    # Le simulateur se lance parfois depuis un processus du projet : ses réglages à lui l'emportent.
    os.environ["DJANGO_SETTINGS_MODULE"] = "simulateur_payzen.settings"
    options = analyser()
    try:
        from .serveur import servir

        servir(options.adresse, options.port)
    except (ImproperlyConfigured, ReglageInvalide) as erreur:
        sys.stderr.write(f"{erreur}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
