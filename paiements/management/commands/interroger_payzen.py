import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from comptes.models import Caf
from dettes.reprise import lire_les_publies
from paiements.boutiques import BoutiqueAbsente
from paiements.file.suspens import lister_les_inconnues
from paiements.malades import exiger_la_base
from paiements.models import Paiement
from paiements.payzen import EchecRest
from paiements.verification.interroger import conclure, lire_la_plateforme
from paiements.verification.reconstruction import ramener
from socle.commandes import Code, Commande, jour

logger = logging.getLogger(__name__)

T = TypeVar("T")
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
        self.muets: list[str] = []
        self.malades: list[str] = []
        self.sans_paiement: list[str] = []
        if journaux:
            self._ramener(_lire_les_publies(options["publies"]))
        elif options["publies"]:
            raise CommandError("--publies ne va qu'avec --journaux.", returncode=Code.MAL_TAPEE)
        else:
            self._interroger(reference, jour)

    def _interroger(self, reference: str | None, jour: date | None) -> None:
        lus: list[dict[str, str]] = []
        changes = 0
        for paiement in self.suivre(list(_choisir(reference, jour)), "paiements"):
            conclu = self._tenter(paiement.reference, partial(self._conclure, paiement))
            if conclu is None:
                continue
            dit, apres = conclu
            changes += apres.statut != paiement.statut
            avance = f"{paiement.get_statut_display()} → {apres.get_statut_display()}"
            lus.append({"paiement": paiement.reference, "dit": dit, "avance": avance})
        phrases = [f"{ligne['paiement']}  PayZen dit {ligne['dit']}  {ligne['avance']}" for ligne in lus]
        avances = [] if self.a_blanc else [f"{changes} paiement(s) ont avancé."]
        self._finir({"lus": lus, "avances": changes}, [*phrases, *avances])

    def _conclure(self, paiement: Paiement) -> tuple[str, Paiement]:
        """Ce que PayZen dit, et le paiement dans son nouvel état ; le même, à blanc."""
        lecture = lire_la_plateforme(paiement)
        dit = ", ".join(f"{fait.operation} {fait.montant} € {fait.statut}" for fait in lecture.faits) or "rien"
        return dit, paiement if self.a_blanc else conclure(paiement.pk, lecture) or paiement

    def _ramener(self, publies: Publies) -> None:
        """À blanc, dit seulement ce qui serait demandé."""
        lus: list[dict[str, str]] = []
        for boutique, reference in self.suivre(_lister(publies), "références"):
            publie = publies.get((boutique, reference), {})
            ligne = {"paiement": reference, "boutique": boutique}
            if not self.a_blanc:
                ramene = self._tenter(reference, partial(ramener, boutique, reference, publie))
                if ramene is None:
                    continue
                etat = ramene.paiement.get_statut_display() if ramene.paiement else ""
                ligne |= {"etat": etat, "motif": ramene.motif}
                if publie and ramene.paiement is None:
                    self.sans_paiement.append(reference)
            lus.append(ligne)
        phrases = ["  ".join(filter(None, ligne.values())) for ligne in lus]
        self._finir({"lus": lus}, [*phrases, f"{len(lus)} référence(s) demandée(s)."])

    def _tenter(self, reference: str, essai: Callable[[], T]) -> T | None:
        """Ce que rend l'essai ; rien, et son nom est gardé, s'il échoue : les autres passent."""
        try:
            return essai()
        except (EchecRest, BoutiqueAbsente) as echec:
            self.stderr.write(f"{reference}  pas de réponse : {echec}")
            self.muets.append(reference)
        except Exception as echec:  # garde: un_paiement_qui_ne_se_conclut_pas  (quoi qu'il lève)
            exiger_la_base(echec)
            logger.exception("paiement non conclu", extra={"paiement": reference})
            self.malades.append(reference)
        return None

    def _finir(self, compte_rendu: dict[str, Any], phrases: list[str]) -> None:
        self.montrer(compte_rendu | {"muets": self.muets, "non_conclus": self.malades}, phrases)
        manques = []
        if self.muets:
            manques.append(f"{len(self.muets)} paiement(s) sans réponse de PayZen")
        if self.malades:
            manques.append(f"{len(self.malades)} paiement(s) non conclus : {', '.join(self.malades)}")
        if manques:
            phrase = f"{' ; '.join(manques)}. Plus tard, relancez la même commande."
            raise CommandError(phrase, returncode=Code.PAS_PU)
        if self.sans_paiement:
            noms = ", ".join(self.sans_paiement)
            suite = "Prenez les livraisons perdues, puis relancez ; quand rien n'avance plus, relancez sans --publies"
            phrase = f"Publiés, et encore sans paiement : {noms}. {suite} : chacun devient une anomalie."
            raise CommandError(phrase, returncode=Code.CONSTAT)


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
