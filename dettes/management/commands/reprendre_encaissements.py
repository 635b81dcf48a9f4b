from contextlib import nullcontext
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
        noms: list[str] = []
        refus = None
        # Le fichier repris le reste : la livraison qui le dit déduit peut entrer, et ramener ce qui manque au suivant.
        with transaction.atomic() if self.a_blanc else nullcontext():
            try:
                for fichier in reprise.reprendre(caf, dossier):
                    noms.append(get_nom(fichier))
            except reprise.RepriseImpossible as impossible:
                refus = impossible
            if self.a_blanc:
                transaction.set_rollback(True)
        self.montrer(
            {"caf": caf.pk, "repris": noms}, [f"{len(noms)} fichier(s) repris : {', '.join(noms) or 'aucun'}."]
        )
        if refus:
            raise CommandError(str(refus), returncode=Code.CONSTAT)
