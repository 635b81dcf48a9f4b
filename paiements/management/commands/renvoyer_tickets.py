from datetime import date

from django.core.management.base import CommandError, CommandParser

from paiements.causes import Cause
from paiements.documents.envois import renvoyer
from paiements.models import Ticket
from socle.commandes import Code, Commande, jour


class Command(Commande):
    help = "Renvoie des tickets : celui d'un paiement, ou tous ceux qu'on avait renoncé à envoyer."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        quoi = parser.add_mutually_exclusive_group(required=True)
        quoi.add_argument("--reference", help="la référence du paiement ; déjà parti, son ticket repart")
        quoi.add_argument("--impossibles", action="store_true", help="tous ceux dont l'envoi était impossible")
        parser.add_argument(
            "--depuis", type=jour, help="AAAA-MM-JJ, jour de Paris : seulement les paiements créés depuis ce jour"
        )

    def handle(self, *, reference: str | None, depuis: date | None, **options: object) -> None:
        choisis = Ticket.objects.select_related("paiement").order_by("pk")
        choisis = (
            choisis.filter(paiement__reference=reference) if reference else choisis.filter(etat=Ticket.Etat.IMPOSSIBLE)
        )
        if depuis:
            choisis = choisis.filter(paiement__cree_le__date__gte=depuis)
        tickets = list(choisis)
        if reference and not tickets:
            raise CommandError(f"Aucun ticket pour le paiement {reference}.", returncode=Code.CONSTAT)
        if not self.a_blanc:
            for ticket in self.suivre(tickets, "tickets"):
                renvoyer(ticket, Cause("renvoyer_tickets", "exploitant"))
        references = [ticket.paiement.reference for ticket in tickets]
        lignes = [f"{t.paiement.reference}  {t.get_etat_display()}  {t.dernier_motif}" for t in tickets]
        self.montrer({"tickets": references}, [*lignes, f"{len(tickets)} ticket(s) à renvoyer."])
