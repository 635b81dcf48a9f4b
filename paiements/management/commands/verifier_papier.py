from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from paiements.documents.papiers import PapierInconnu, verifier
from paiements.models import Paiement
from socle.euros import ecrire_euros


class Command(BaseCommand):
    help = "Dit ce que doit porter un ticket ou une attestation, d'après sa référence et son code de vérification."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", help="la référence écrite sur le papier")
        parser.add_argument("code", help="le code de vérification écrit sur le papier")

    def handle(self, *_: Any, reference: str, code: str, **__: Any) -> None:
        """Sort en erreur si rien de nous ne porte cette référence avec ce code."""
        try:
            papier = verifier(Paiement.objects.all(), reference, code)
        except PapierInconnu as inconnu:
            raise CommandError(f"Ce papier n'est pas de nous : {inconnu}.") from None
        paiement, ticket, attestation = papier
        self.stdout.write(f"{paiement.demarche.reference}, {paiement.caf}, {paiement.get_statut_display()}.")
        quand = ticket.paye_le.strftime("%d/%m/%Y à %H:%M")
        self.stdout.write(f"Ticket : {ecrire_euros(ticket.montant)}, payés le {quand}.")
        for ligne in ticket.lignes:
            self.stdout.write(f"  {ligne.dette.reference} : {ecrire_euros(ligne.montant)}")
        if attestation:
            self.stdout.write(f"Attestation : {ecrire_euros(attestation.porte)} déduits des dettes.")
            for imputation in attestation.imputations:
                reste = ecrire_euros(imputation.mouvement.solde_apres)
                self.stdout.write(
                    f"  {imputation.dette.reference} : {ecrire_euros(imputation.montant)}, reste {reste}"
                )
        if ticket.is_reparti:
            self.stdout.write("Depuis, ce paiement a été annulé ou rendu : il ne compte plus.")
