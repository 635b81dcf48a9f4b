from collections.abc import Iterator

from django.core.management.base import CommandError, CommandParser

from paiements.documents.papiers import Papier, PapierInconnu, verifier
from paiements.models import Paiement
from socle.commandes import Code, Commande
from socle.euros import ecrire_euros


class Command(Commande):
    help = "Dit ce que doit porter un ticket ou une attestation, d'après sa référence et son code de vérification."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", help="la référence écrite sur le papier")
        parser.add_argument("code", help="le code de vérification écrit sur le papier")

    def handle(self, *, reference: str, code: str, **options: object) -> None:
        """Sort en erreur si rien de nous ne porte cette référence avec ce code."""
        try:
            papier = verifier(Paiement.objects.all(), reference, code)
        except PapierInconnu as inconnu:
            raise CommandError(f"Ce papier n'est pas de nous : {inconnu}.", returncode=Code.CONSTAT) from None
        phrases = list(dire(papier))
        self.montrer({"reference": papier.paiement.demarche.reference, "papier": phrases}, phrases)


def dire(papier: Papier) -> Iterator[str]:
    """Ce que le papier doit porter, à comparer ligne à ligne."""
    paiement, ticket, attestation = papier
    yield f"{paiement.demarche.reference}, {paiement.caf}, {paiement.get_statut_display()}."
    yield f"Ticket : {ecrire_euros(ticket.montant)}, payés le {ticket.paye_le.strftime('%d/%m/%Y à %H:%M')}."
    yield from (f"  {ligne.dette.reference} : {ecrire_euros(ligne.montant)}" for ligne in ticket.lignes)
    if attestation:
        yield f"Attestation : {ecrire_euros(attestation.porte)} déduits des dettes."
        for imputation in attestation.imputations:
            reste = ecrire_euros(imputation.mouvement.solde_apres)
            yield f"  {imputation.dette.reference} : {ecrire_euros(imputation.montant)}, reste {reste}"
    if ticket.is_reparti:
        yield "Depuis, ce paiement a été annulé ou rendu : il ne compte plus."
