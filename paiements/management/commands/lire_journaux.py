from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from paiements.file.suspens import get_anomalies, lister_ce_qui_attend
from paiements.payzen import Journal, JournalIllisible, read_journal
from paiements.verification import journaux
from socle.commandes import Code, Commande


class Command(Commande):
    help = "Lit les journaux de PayZen (JT, JO, JRB, JRI) et porte chaque ligne : ce qu'elle a fait sans nous le dire."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "dossiers", nargs="+", type=Path, metavar="DOSSIER", help="un dossier de journaux, ou un journal"
        )

    def handle(self, *, dossiers: list[Path], **options: object) -> None:
        refuses: list[str] = []
        lus = sorted(self._lire(dossiers, refuses), key=lambda lu: (journaux.ORDRE.index(lu.genre), lu.jour, lu.nom))
        compte_rendu = {"journaux": len(lus)} | self._porter(lus)
        inconnues = {lu.genre: sorted({*lu.inconnues}) for lu in lus if lu.inconnues}
        self.montrer(
            compte_rendu | {"colonnes_inconnues": inconnues, "refuses": refuses}, dire(compte_rendu, inconnues)
        )
        self._finir(refuses, compte_rendu["malades"])

    def _finir(self, refuses: list[str], malades: list[str]) -> None:
        phrases = []
        if refuses:
            phrases.append(f"{len(refuses)} journal(aux) refusé(s), rien n'en est cru : {' ; '.join(refuses)}.")
        if malades:
            phrases.append(
                f"{len(malades)} ligne(s) non portées : {', '.join(malades)}. Plus tard, relancez la même commande."
            )
        if phrases:
            raise CommandError(" ".join(phrases), returncode=Code.PAS_PU if malades else Code.CONSTAT)

    def _porter(self, lus: list[Journal]) -> dict[str, Any]:
        """À blanc, tout se fait et se défait d'un bloc ; sinon, par lots, pour ne tenir personne longtemps."""
        with transaction.atomic() if self.a_blanc else nullcontext():
            neuves = {lu.nom: journaux.consigner(lu) for lu in lus}
            portees, malades = journaux.reprendre()
            attendent = list(lister_ce_qui_attend())
            a_decider = len(get_anomalies(attendent))
            if self.a_blanc:
                transaction.set_rollback(True)
        deja = [nom for nom, nombre in neuves.items() if nombre is None]
        lignes = sum(nombre or 0 for nombre in neuves.values())
        suspens = {"en_suspens": len(attendent), "a_decider": a_decider, "malades": malades}
        return {"deja_lus": deja, "lignes": lignes, "portees": portees} | suspens

    def _lire(self, dossiers: list[Path], refuses: list[str]) -> Iterator[Journal]:
        for chemin in self.suivre([fichier for dossier in dossiers for fichier in self._lister(dossier)], "journaux"):
            try:
                yield read_journal(chemin.name, chemin.read_bytes(), settings.PAYZEN_JOURNAUX)
            except (JournalIllisible, OSError) as refus:
                refuses.append(f"{chemin.name} : {refus}")

    def _lister(self, dossier: Path) -> list[Path]:
        if dossier.is_file():
            return [dossier]
        if not dossier.is_dir():
            raise CommandError(f"{dossier} n'existe pas.", returncode=Code.MAL_TAPEE)
        return sorted(f for f in dossier.iterdir() if f.is_file() and f.name.endswith((".csv", ".gz")))


def dire(compte_rendu: dict[str, Any], inconnues: dict[str, list[str]]) -> Iterator[str]:
    """Le compte rendu pour qui lit l'écran."""
    deja = len(compte_rendu["deja_lus"])
    yield f"{compte_rendu['journaux']} journaux lus, dont {deja} déjà connus ; {compte_rendu['lignes']} lignes neuves."
    yield "Portées : " + ", ".join(f"{genre} {nombre}" for genre, nombre in compte_rendu["portees"].items()) + "."
    yield from (f"Colonnes inconnues du {genre}, gardées : {', '.join(noms)}." for genre, noms in inconnues.items())
    suspens, a_decider = compte_rendu["en_suspens"], compte_rendu["a_decider"]
    attendent = "ligne attend" if suspens < 2 else "lignes attendent"
    yield f"{suspens} {attendent}, dont {a_decider} qu'un agent règle, sous /agents/."
    if suspens > a_decider:
        yield "Les autres se reprennent à chaque lecture. Leur transaction manque ? interroger_payzen --journaux."
