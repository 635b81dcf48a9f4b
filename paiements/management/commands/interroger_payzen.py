from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from comptes.models import Caf
from dettes.reprise import lire_les_publies
from paiements.boutiques import BoutiqueAbsente
from paiements.models import Paiement
from paiements.payzen import EchecRest
from paiements.verification.interroger import conclure, lire_la_plateforme
from paiements.verification.journaux import lister_les_inconnues
from paiements.verification.reconstruction import ramener
from socle.commandes import Code, Commande, jour

PARIS = ZoneInfo("Europe/Paris")
# Par boutique et référence : les euros que les fichiers publiés disent imputés, débit par débit.
Publies = Mapping[tuple[str, str], Mapping[str, Decimal]]


class Command(Commande):
    help = "Interroge PayZen sur un paiement, ou sur tous ceux d'un jour, et porte ce qu'il en dit."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        quoi = parser.add_mutually_exclusive_group(required=True)
        quoi.add_argument("--reference", help="la référence du paiement")
        quoi.add_argument("--jour", type=jour, help="AAAA-MM-JJ, jour de Paris")
        quoi.add_argument(
            "--journaux",
            action="store_true",
            help="ce dont un journal parle et que la base ignore : après une restauration, ramène les paiements",
        )

        parser.add_argument(
            "--publies",
            type=Path,
            nargs="+",
            default=[],
            metavar="DOSSIER",
            help="avec --journaux : les fichiers d'encaissements publiés ; ce qu'ils disent imputé l'est d'abord",
        )

    def handle(self, *, reference: str | None, jour: date | None, journaux: bool, **options: Any) -> None:
        if journaux:
            self._ramener(_lire_les_publies(options["publies"]))
        elif options["publies"]:
            raise CommandError("--publies ne va qu'avec --journaux.", returncode=Code.MAL_TAPEE)
        else:
            self._interroger(reference, jour)

    def _interroger(self, reference: str | None, jour: date | None) -> None:
        lus: list[dict[str, str]] = []
        muets: list[str] = []
        changes = 0
        for paiement in self.suivre(list(_choisir(reference, jour)), "paiements"):
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
        self._finir(muets)

    def _ramener(self, publies: Publies) -> None:
        """À blanc, dit seulement ce qui serait demandé."""
        lus: list[dict[str, str]] = []
        muets: list[str] = []
        for boutique, reference in self.suivre(_lister(publies), "références"):
            ligne = {"paiement": reference, "boutique": boutique}
            try:
                publie = publies.get((boutique, reference), {})
                ramene = None if self.a_blanc else ramener(boutique, reference, publie)
            except (EchecRest, BoutiqueAbsente) as echec:
                self.stderr.write(f"{reference}  pas de réponse : {echec}")
                muets.append(reference)
                continue
            if ramene is not None:
                etat = ramene.paiement.get_statut_display() if ramene.paiement else ""
                ligne |= {"etat": etat, "motif": ramene.motif}
            lus.append(ligne)
        phrases = ["  ".join(filter(None, ligne.values())) for ligne in lus]
        self.montrer({"lus": lus, "muets": muets}, [*phrases, f"{len(lus)} référence(s) demandée(s)."])
        self._finir(muets)

    def _finir(self, muets: list[str]) -> None:
        if muets:
            phrase = f"{len(muets)} paiement(s) sans réponse de PayZen : relancez la même commande plus tard."
            raise CommandError(phrase, returncode=Code.PAS_PU)


def _lire_les_publies(dossiers: list[Path]) -> Publies:
    """Un dossier vide ferait tout revenir sans ce qu'il disait imputé, et cela ne se rattrape pas."""
    for dossier in dossiers:
        if not any(dossier.glob("encaissements_*.csv")):
            raise CommandError(f"Aucun fichier d'encaissements dans {dossier}.", returncode=Code.MAL_TAPEE)
    return {
        (caf.boutique, reference): debits
        for dossier in dossiers
        for caf in Caf.objects.exclude(boutique="")
        for reference, debits in lire_les_publies(caf, dossier).items()
    }


def _lister(publies: Publies) -> list[tuple[str, str]]:
    """Ce que la base ignore, et d'abord ce que les fichiers publiés disent imputé sans qu'elle le sache."""
    imputes = set(
        Paiement.objects.filter(reference__in={reference for _, reference in publies})
        .exclude(imputations=None)
        .values_list("boutique", "reference")
    )
    d_abord = dict.fromkeys(sorted(set(publies) - imputes))  # garde: publie_impute_d_abord
    return [*(d_abord | dict.fromkeys(lister_les_inconnues()))]


def _choisir(reference: str | None, jour: date | None) -> QuerySet[Paiement]:
    if jour is not None:
        debut = datetime.combine(jour, datetime.min.time(), PARIS)
        fin = datetime.combine(jour + timedelta(days=1), datetime.min.time(), PARIS)
        return Paiement.objects.filter(cree_le__gte=debut, cree_le__lt=fin).order_by("pk")
    paiements = Paiement.objects.filter(reference=reference)
    if not paiements.exists():
        raise CommandError(f"Aucun paiement ne porte la référence {reference}.", returncode=Code.CONSTAT)
    return paiements
