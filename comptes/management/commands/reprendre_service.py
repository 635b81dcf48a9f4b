from django.core.management.base import CommandParser

from comptes import services
from comptes.management.commands.suspendre_service import choisir
from socle.commandes import Commande


class Command(Commande):
    help = "Reprend les paiements en ligne d'une Caf, de plusieurs, ou de toutes."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cafs", nargs="*", metavar="CAF", help="codes des Caf")
        parser.add_argument("--toutes", action="store_true", help="toutes celles qui sont suspendues")

    def handle(self, *, cafs: list[str], toutes: bool, **options: object) -> None:
        choisies = choisir(cafs, toutes=toutes, ouverte=False)
        if not self.a_blanc:
            for caf in choisies:
                services.rouvrir(caf, None)
        codes = [caf.pk for caf in choisies]
        self.montrer({"reprises": codes}, [f"Reprises : {', '.join(codes) or 'aucune'}."])
