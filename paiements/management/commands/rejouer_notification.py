from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from paiements.models import MessagePayzen, Paiement
from paiements.payzen.fait import FaitIllisible, to_fait
from paiements.reception.porter import Recu, porter
from socle.commandes import Code, Commande


class Command(Commande):
    help = "Porte de nouveau les notifications reçues d'un paiement : ce qu'elles disent, et rien d'autre."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", help="la référence du paiement, ou celle de sa démarche")

    def handle(self, *, reference: str, **options: object) -> None:
        paiement = Paiement.objects.for_reference(reference).first()
        if paiement is None:
            raise CommandError(f"Aucun paiement ne porte la référence {reference}.", returncode=Code.CONSTAT)
        recus, illisibles = _relire(paiement)
        avant = paiement.get_statut_display()
        with transaction.atomic():
            porter(recus)
            paiement.refresh_from_db()
            apres = paiement.get_statut_display()
            transaction.set_rollback(self.a_blanc)
        self.montrer(
            {
                "paiement": paiement.reference,
                "rejouees": len(recus),
                "illisibles": illisibles,
                "avant": avant,
                "apres": apres,
            },
            [f"{len(recus)} notification(s) rejouée(s), {illisibles} illisible(s) : {avant} → {apres}."],
        )


def _relire(paiement: Paiement) -> tuple[list[Recu], int]:
    """Les notifications gardées, dans l'ordre où elles sont venues, et combien ne se lisent pas."""
    messages = MessagePayzen.objects.notifications().filter(paiement=paiement).order_by("pk")
    recus, illisibles, deja = [], 0, set()
    for champs in messages.values_list("champs", flat=True):
        # Un rejeu d'avant, ou PayZen qui répète : les mêmes mots n'apprennent rien de plus.
        mots = frozenset(champs.items())
        if mots in deja:
            continue
        deja.add(mots)
        try:
            recus.append(Recu(to_fait(champs), champs))
        except FaitIllisible:
            illisibles += 1
    return recus, illisibles
