"""La liste des Caf, telle que la Cnaf la publie."""

import csv
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from comptes.models import Caf
from socle.commandes import Code, Commande


class Command(Commande):
    help = "Crée les Caf du fichier, ou met à jour leur nom et leur département. Relançable."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        defaut = Path(settings.BASE_DIR) / "donnees" / "caf.csv"
        parser.add_argument("fichier", nargs="?", type=Path, default=defaut, help="CSV à points-virgules")

    def handle(self, *, fichier: Path, **_: object) -> None:
        """La boutique, le seuil et l'ouverture, réglés ici, ne viennent pas de ce fichier : ils restent."""
        try:
            with fichier.open(encoding="utf-8", newline="") as flux:
                lignes = list(csv.DictReader(flux, delimiter=";"))
            cafs = [
                Caf(code=ligne["code_organisme"], nom=ligne["nom"], departement=ligne["departement"])
                for ligne in lignes
            ]
        except (OSError, ValueError, KeyError) as erreur:
            raise CommandError(
                f"{fichier} est illisible ({erreur}). Il faut code_organisme;nom;departement, en UTF-8.",
                returncode=Code.CONSTAT,
            ) from erreur
        connues = [caf for caf in cafs if caf.code]
        if not self.a_blanc:
            Caf.objects.bulk_create(
                connues, update_conflicts=True, unique_fields=["code"], update_fields=["nom", "departement"]
            )
        sans_code = [caf.nom for caf in cafs if not caf.code]
        cote = [f"Sans code connu, laissées de côté : {', '.join(sans_code)}."] if sans_code else []
        phrase = f"{len(connues)} Caf {'à charger' if self.a_blanc else 'chargées'}."
        self.montrer({"cafs": len(connues), "sans_code": sans_code}, [phrase, *cote])
