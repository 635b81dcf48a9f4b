from django.core.management.base import CommandError, CommandParser

from paiements.bureau.recit import raconter
from paiements.models import Paiement
from socle.commandes import Code, Commande


class Command(Commande):
    help = "Raconte toute la vie d'un paiement : ce qui s'est passé, ce qu'il attend, quoi faire."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", help="la référence du paiement, ou celle de sa démarche")

    def handle(self, *, reference: str, **options: object) -> None:
        paiement = Paiement.objects.for_reference(reference).first()
        if paiement is None:
            raise CommandError(
                f"Aucun paiement, aucune démarche ne porte la référence {reference}.", returncode=Code.CONSTAT
            )
        recit = list(raconter(paiement))
        self.montrer({"paiement": paiement.reference, "statut": paiement.statut, "recit": recit}, recit)
