from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from comptes.models import Caf, Utilisateur
from paiements.feuille.calcul import SORTES, Ecart, Feuille, calculer
from paiements.feuille.cloture import ClotureImpossible, clore, get_cloture, lister_les_changements
from paiements.feuille.sorties import rendre_csv, rendre_pdf
from socle.commandes import Code, Commande
from socle.commandes import jour as un_jour
from socle.euros import ecrire_euros


class Command(Commande):
    help = "La feuille d'une Caf et d'un jour : ce que la plateforme tient, ce qui est imputé, ce qui est parti."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "cafs", nargs="*", metavar="CAF", help="codes des Caf ; toutes celles qui encaissent, sinon"
        )
        parser.add_argument("--jour", type=un_jour, help="AAAA-MM-JJ, jour de Paris ; hier, sinon")
        parser.add_argument("--sorties", type=Path, metavar="DOSSIER", help="y écrire la feuille en CSV et en PDF")
        parser.add_argument("--clore", metavar="IDENTIFIANT", help="la personne qui signe ce jour ; avec --motif")
        parser.add_argument("--motif", default="", help="ce que la personne en dit")

    def handle(self, *, cafs: list[str], jour: date | None, clore: str | None, **options: Any) -> None:
        jour = jour or timezone.localdate() - timedelta(days=1)
        choisies = choisir(cafs)
        if clore:
            self._clore(choisies, jour, clore, options["motif"])
        feuilles = [calculer(caf, jour) for caf in self.suivre(choisies, "Caf")]
        if options["sorties"] and not self.a_blanc:
            self._ecrire(feuilles, options["sorties"])
        decrites = [decrire(feuille) for feuille in feuilles]
        self.montrer({"feuilles": decrites}, (phrase for feuille in feuilles for phrase in dire(feuille)))
        if a_regarder := sum(map(is_a_regarder, decrites)):
            raise CommandError(f"{a_regarder} feuille(s) à regarder.", returncode=Code.CONSTAT)

    def _clore(self, cafs: list[Caf], jour: date, identifiant: str, motif: str) -> None:
        agent = Utilisateur.objects.filter(identifiant=identifiant).first()
        if agent is None or not motif:
            raise CommandError("--clore demande un agent connu, et --motif.", returncode=Code.MAL_TAPEE)
        if self.a_blanc:
            return
        try:
            for caf in cafs:
                clore(caf, jour, motif=motif[:200], agent=agent)
        except ClotureImpossible as refus:
            raise CommandError(f"{refus}.", returncode=Code.CONSTAT) from refus

    def _ecrire(self, feuilles: list[Feuille], dossier: Path) -> None:
        dossier.mkdir(parents=True, exist_ok=True)
        for feuille in feuilles:
            chemin = dossier / f"feuille_{feuille.caf.pk}_{feuille.jour:%Y%m%d}"
            chemin.with_suffix(".csv").write_bytes(rendre_csv(feuille))
            chemin.with_suffix(".pdf").write_bytes(rendre_pdf(feuille))


def choisir(codes: list[str]) -> list[Caf]:
    """
    Les Caf nommées, ou toutes celles qui encaissent.

    :raises CommandError: si un code est inconnu
    """
    choisies = list(Caf.objects.filter(pk__in=codes) if codes else Caf.objects.exclude(boutique=""))
    if len(choisies) < len(set(codes)):
        raise CommandError("Une de ces Caf est inconnue. Vérifiez les codes.", returncode=Code.MAL_TAPEE)
    return choisies


def decrire(feuille: Feuille) -> dict[str, Any]:
    """La feuille pour une machine ; montants en euros, en texte."""
    cloture = get_cloture(feuille.caf, feuille.jour)
    return {
        "caf": feuille.caf.pk,
        "jour": feuille.jour.isoformat(),
        "chiffres": feuille.chiffres,
        "juste": feuille.is_juste,
        "ecarts": [vars(ecart) for ecart in feuille.ecarts],
        "suspens": [vars(ecart) for ecart in feuille.suspens],
        "clos_par": cloture.auteur.identifiant if cloture else None,
        "changements": lister_les_changements(feuille, cloture),
    }


def is_a_regarder(decrite: dict[str, Any]) -> bool:
    return any(decrite[quoi] for quoi in ("ecarts", "suspens", "changements"))


def dire(feuille: Feuille) -> Iterator[str]:
    """La feuille pour qui lit l'écran."""
    yield f"{feuille.caf}, {feuille.jour:%d/%m/%Y}"
    for livre in feuille.livres:
        journee = ", ".join(f"{SORTES[sorte]} {ecrire_euros(montant)}" for sorte, montant in livre.journee.items())
        yield f"  {livre.titre} : {ecrire_euros(livre.ouverture)}, {journee}, clôture {ecrire_euros(livre.cloture)}"
    retenu, a_emettre = ecrire_euros(feuille.retenu), ecrire_euros(feuille.a_emettre)
    yield f"  Remis en banque {ecrire_euros(feuille.remis)} ; retenu {retenu} ; à émettre {a_emettre}"
    yield from (_dire_un_ecart(ecart) for ecart in [*feuille.ecarts, *feuille.suspens])
    cloture = get_cloture(feuille.caf, feuille.jour)
    yield f"  Clos par {cloture.auteur.identifiant}." if cloture else "  Pas encore clos."
    yield from (f"  A CHANGÉ DEPUIS : {phrase}" for phrase in lister_les_changements(feuille, cloture))


def _dire_un_ecart(ecart: Ecart) -> str:
    return (
        f"  {ecrire_euros(ecart.montant)}  {ecart.reference}  {ecart.quoi}, depuis {ecart.jours} j"
        f" ({ecart.proprietaire}) : {ecart.geste}"
    )
