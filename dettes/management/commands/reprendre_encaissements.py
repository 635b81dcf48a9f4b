from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from dettes import reprise
from dettes.encaissements import get_nom
from dettes.management.commands.emettre_encaissements import get_caf
from socle.commandes import Code, Commande


class Command(Commande):
    help = "Après une restauration : reprend les fichiers d'encaissements publiés que la base a oubliés."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("caf", metavar="CAF", help="code de la Caf")
        parser.add_argument(
            "--dossier", type=Path, required=True, help="où sont les fichiers publiés et leurs manifestes"
        )

    def handle(self, *, dossier: Path, **options: Any) -> None:
        caf = get_caf(options["caf"])
        try:
            with transaction.atomic():
                repris = reprise.reprendre(caf, dossier)
                transaction.set_rollback(self.a_blanc)
        except reprise.RepriseImpossible as refus:
            raise CommandError(str(refus), returncode=Code.CONSTAT) from refus
        noms = [get_nom(fichier) for fichier in repris]
        self.montrer(
            {"caf": caf.pk, "repris": noms}, [f"{len(noms)} fichier(s) repris : {', '.join(noms) or 'aucun'}."]
        )
