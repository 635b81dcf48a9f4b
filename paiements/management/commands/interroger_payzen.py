from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from paiements.boutiques import BoutiqueAbsente
from paiements.models import Paiement
from paiements.payzen import EchecRest
from paiements.verification.interroger import conclure, lire_la_plateforme
from socle.commandes import Code, Commande, jour

PARIS = ZoneInfo("Europe/Paris")


class Command(Commande):
    help = "Interroge PayZen sur un paiement, ou sur tous ceux d'un jour, et porte ce qu'il en dit."
    ecrit = True

    def add_arguments(self, parser: CommandParser) -> None:
        quoi = parser.add_mutually_exclusive_group(required=True)
        quoi.add_argument("--reference", help="la référence du paiement")
        quoi.add_argument("--jour", type=jour, help="AAAA-MM-JJ, jour de Paris")

    def handle(self, *, reference: str | None, jour: date | None, **options: object) -> None:
        lus: list[dict[str, str]] = []
        muets: list[str] = []
        changes = 0
        for paiement in _choisir(reference, jour).iterator():
            try:
                lecture = lire_la_plateforme(paiement)
            except (EchecRest, BoutiqueAbsente) as echec:
                self.stderr.write(f"{paiement.reference}  pas de réponse : {echec}")
                muets.append(paiement.reference)
                continue
            dit = ", ".join(f"{fait.operation} {fait.montant} € {fait.statut}" for fait in lecture.faits) or "rien"
            apres = paiement if self.a_blanc else conclure(paiement.pk, lecture) or paiement
            changes += apres.statut != paiement.statut
            avance = f"{paiement.get_statut_display()} → {apres.get_statut_display()}"
            lus.append({"paiement": paiement.reference, "dit": dit, "avance": avance})
        phrases = [f"{ligne['paiement']}  PayZen dit {ligne['dit']}  {ligne['avance']}" for ligne in lus]
        avances = [] if self.a_blanc else [f"{changes} paiement(s) ont avancé."]
        self.montrer({"lus": lus, "muets": muets, "avances": changes}, [*phrases, *avances])
        if muets:
            phrase = f"{len(muets)} paiement(s) sans réponse de PayZen : relancez la même commande plus tard."
            raise CommandError(phrase, returncode=Code.PAS_PU)


def _choisir(reference: str | None, jour: date | None) -> QuerySet[Paiement]:
    if jour is not None:
        debut = datetime.combine(jour, datetime.min.time(), PARIS)
        fin = datetime.combine(jour + timedelta(days=1), datetime.min.time(), PARIS)
        return Paiement.objects.filter(cree_le__gte=debut, cree_le__lt=fin).order_by("pk")
    paiements = Paiement.objects.filter(reference=reference)
    if not paiements.exists():
        raise CommandError(f"Aucun paiement ne porte la référence {reference}.", returncode=Code.CONSTAT)
    return paiements
