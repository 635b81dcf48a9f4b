from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from comptes.models import Caf
from dettes import encaissements
from socle.commandes import Code, Commande


def get_caf(code: str) -> Caf:
    """La Caf de ce code, ou une phrase qui dit comment la charger."""
    caf = Caf.objects.filter(pk=code).first()
    if caf is None:
        raise CommandError(
            f"Caf inconnue : {code}. Vérifiez le code, ou lancez manage.py charger_cafs.", returncode=Code.MAL_TAPEE
        )
    return caf


class Command(Commande):
    help = "Écrit le fichier des encaissements à rendre à une Caf, ou réécrit l'un des précédents."
    ecrit = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("caf", metavar="CAF", help="code de la Caf")
        parser.add_argument("--dossier", type=Path, required=True, help="où écrire le fichier et son manifeste")
        parser.add_argument("--sequence", type=int, metavar="N", help="réémettre ce numéro, à l'identique")
        parser.add_argument(
            "--plancher",
            type=int,
            metavar="N",
            help="après une restauration : le dernier numéro que la Caf a reçu, si ses fichiers sont perdus",
        )

    def handle(self, *, dossier: Path, sequence: int | None, plancher: int | None, **options: Any) -> None:
        caf = get_caf(options["caf"])
        if sequence and self.a_blanc:
            raise CommandError(
                "Une réémission ne se montre pas à blanc : ajoutez --appliquer.", returncode=Code.MAL_TAPEE
            )
        try:
            fichier = (
                encaissements.reemettre(caf, sequence, dossier)
                if sequence
                else encaissements.emettre(caf, dossier, essai=self.a_blanc, plancher=plancher)
            )
        except encaissements.EmissionImpossible as erreur:
            raise CommandError(str(erreur), returncode=Code.CONSTAT) from erreur
        except OSError as erreur:
            raise CommandError(
                f"{dossier} : {erreur.strerror}. Relancez : l'émission reprend où elle s'est arrêtée.",
                returncode=Code.PAS_PU,
            ) from erreur
        if fichier is None:
            self.montrer({"caf": caf.pk, "fichier": None}, [f"Rien à émettre pour la Caf {caf.pk}."])
            return
        nom = encaissements.get_nom(fichier)
        fait = "serait émis" if self.a_blanc else "réémis" if sequence else "émis"
        self.montrer(
            {"caf": caf.pk, "fichier": nom, "lignes": fichier.lignes, "total": fichier.total},
            [f"{nom} : {fait}, {fichier.lignes} lignes, {fichier.total:.2f} € net."],
        )
