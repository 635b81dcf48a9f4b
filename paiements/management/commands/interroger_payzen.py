from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from paiements.boutiques import BoutiqueAbsente
from paiements.models import Paiement
from paiements.payzen import EchecRest
from paiements.verification.interroger import conclure, lire_la_plateforme

PARIS = ZoneInfo("Europe/Paris")


class Command(BaseCommand):
    help = "Interroge PayZen sur un paiement, ou sur tous ceux d'un jour, et porte ce qu'il en dit."

    def add_arguments(self, parser: CommandParser) -> None:
        quoi = parser.add_mutually_exclusive_group(required=True)
        quoi.add_argument("--reference", help="la référence du paiement")
        quoi.add_argument("--jour", type=date.fromisoformat, help="AAAA-MM-JJ, jour de Paris")
        parser.add_argument("--essai", action="store_true", help="montrer ce que dit PayZen, ne rien écrire")

    def handle(self, *, reference: str | None, jour: date | None, essai: bool, **options: object) -> None:
        changes = muets = 0
        for paiement in self._choisir(reference, jour).iterator():
            try:
                lecture = lire_la_plateforme(paiement)
            except (EchecRest, BoutiqueAbsente) as echec:
                self.stderr.write(f"{paiement.reference}  pas de réponse : {echec}")
                muets += 1
                continue
            dit = ", ".join(f"{fait.operation} {fait.montant} € {fait.statut}" for fait in lecture.faits) or "rien"
            apres = paiement if essai else conclure(paiement.pk, lecture) or paiement
            changes += apres.statut != paiement.statut
            avance = f"{paiement.get_statut_display()} → {apres.get_statut_display()}"
            self.stdout.write(f"{paiement.reference}  {paiement.montant} €  PayZen dit {dit}  {avance}")
        if muets:
            raise CommandError(f"{muets} paiement(s) sans réponse de PayZen : relancez la même commande plus tard.")
        self.stdout.write("Rien n'a été écrit." if essai else f"{changes} paiement(s) ont avancé.")

    def _choisir(self, reference: str | None, jour: date | None) -> QuerySet[Paiement]:
        if jour is not None:
            debut = datetime.combine(jour, datetime.min.time(), PARIS)
            fin = datetime.combine(jour + timedelta(days=1), datetime.min.time(), PARIS)
            return Paiement.objects.filter(cree_le__gte=debut, cree_le__lt=fin).order_by("pk")
        paiements = Paiement.objects.filter(reference=reference)
        if not paiements.exists():
            raise CommandError(f"Aucun paiement ne porte la référence {reference}.")
        return paiements
