from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from comptes.models import Caf
from dettes import encaissements


class Command(BaseCommand):
    help = "Écrit le fichier des encaissements à rendre à une Caf, ou réécrit l'un des précédents."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("caf", metavar="CAF", help="code de la Caf")
        parser.add_argument("--dossier", type=Path, required=True, help="où écrire le fichier et son manifeste")
        parser.add_argument("--sequence", type=int, help="réémettre ce numéro, à l'identique")
        parser.add_argument("--essai", action="store_true", help="compter, ne rien écrire")

    def handle(self, *, dossier: Path, sequence: int | None, essai: bool, **options: Any) -> None:
        caf = Caf.objects.filter(pk=options["caf"]).first()
        if caf is None:
            raise CommandError(f"Caf inconnue : {options['caf']}. Vérifiez le code, ou lancez manage.py charger_cafs.")
        if sequence and essai:
            raise CommandError("--essai ne va pas avec --sequence : une réémission ne change rien.")
        try:
            fichier = (
                encaissements.reemettre(caf, sequence, dossier)
                if sequence
                else encaissements.emettre(caf, dossier, essai=essai)
            )
        except encaissements.EmissionImpossible as erreur:
            raise CommandError(str(erreur)) from erreur
        except OSError as erreur:
            raise CommandError(
                f"{dossier} : {erreur.strerror}. Relancez : l'émission reprend où elle s'est arrêtée."
            ) from erreur
        if fichier is None:
            self.stdout.write(f"Rien à émettre pour la Caf {caf.pk}.")
            return
        fait = "essai, rien n'est écrit" if essai else "réémis" if sequence else "émis"
        self.stdout.write(
            f"{encaissements.get_nom(fichier)} : {fait}, {fichier.lignes} lignes, {fichier.total:.2f} € net."
        )
