from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import OperationalError

from dettes import importation
from dettes.importation.compte_rendu import raconter
from dettes.importation.livraison import CompteRendu
from socle.commandes import Code, Commande


def seuil(texte: str) -> Decimal:
    """Une part entre 0 et 1 ; `argparse` fait d'une ValueError un message."""
    try:
        part = Decimal(texte)
    except InvalidOperation as erreur:
        raise ValueError(texte) from erreur
    if not 0 <= part <= 1:
        raise ValueError(texte)
    return part


def ecart(texte: str) -> tuple[str, str]:
    """« disparitions=1931 » : le nom d'un écart, et le chiffre confirmé."""
    nom, egal, chiffre = texte.partition("=")
    if not (nom and egal and chiffre):
        raise ValueError(texte)
    return nom, chiffre


class Command(Commande):
    help = "Prend des livraisons de la Caf : allocataires et dettes, une transaction par livraison."
    ecrit = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dossiers", nargs="+", type=Path, metavar="DOSSIER", help="une livraison et son manifeste")
        parser.add_argument(
            "--seuil-rejets",
            type=seuil,
            default=settings.IMPORT_SEUIL_REJETS,
            help="part des lignes d'un fichier que l'on accepte de rejeter, entre 0 et 1 (%(default)s)",
        )
        parser.add_argument(
            "--accepter-ecart",
            type=ecart,
            action="append",
            default=[],
            metavar="NOM=CHIFFRE",
            help="prendre une livraison qui ne ressemble pas à la précédente, en redonnant le chiffre du refus",
        )
        parser.add_argument(
            "--rejets",
            type=Path,
            default=settings.IMPORT_REJETS,
            help="dossier des fichiers de rejets (%(default)s)",
        )

    def handle(self, *, dossiers: list[Path], **options: Any) -> None:
        rendus = [self._importer(dossier, options) for dossier in self.suivre(dossiers, "livraisons")]
        self.montrer({"livraisons": rendus}, map(dire, rendus))
        refusees = sum(rendu["issue"] == "refusee" for rendu in rendus)
        en_panne = sum(rendu["issue"] == "panne" for rendu in rendus)
        if refusees or en_panne:
            raise CommandError(
                f"{refusees + en_panne} livraison(s) refusée(s) sur {len(dossiers)} ; rien n'en a été écrit.",
                returncode=Code.CONSTAT if refusees else Code.PAS_PU,
            )

    def _importer(self, dossier: Path, options: dict[str, Any]) -> CompteRendu:
        try:
            return importation.importer(
                dossier,
                essai=self.a_blanc,
                seuil=options["seuil_rejets"],
                ou_rejeter=options["rejets"],
                ecarts_acceptes=dict(options["accepter_ecart"]),
            )
        except importation.EcartTropGrand as refus:
            ecarts = [ecart._asdict() for ecart in refus.ecarts]
            return {"dossier": str(dossier), "issue": "refusee", "motif": str(refus), "ecarts": ecarts}
        except importation.LivraisonRefusee as refus:
            return {"dossier": str(dossier), "issue": "refusee", "motif": str(refus)}
        except OperationalError as erreur:
            premiere = str(erreur).partition("\n")[0]
            return {"dossier": str(dossier), "issue": "panne", "motif": f"la base a refusé : {premiere}. Relancez."}


def dire(compte_rendu: CompteRendu) -> str:
    """Le compte rendu en quelques lignes, pour qui lit l'écran."""
    if compte_rendu["issue"] in ("refusee", "panne"):
        return f"{compte_rendu['dossier']} : REFUSÉE. {compte_rendu['motif']}"
    titre = f"Livraison {compte_rendu['caf']} n° {compte_rendu['sequence']} ({compte_rendu['mode']})"
    if compte_rendu["issue"] == "deja_prise":
        return f"{titre} : déjà prise, rien ne bouge."
    lignes = [f"{titre} : {'à blanc' if compte_rendu['issue'] == 'essai' else 'prise'}."]
    lignes += [f"  {phrase}" for phrase in raconter(compte_rendu)]
    return "\n".join(lignes)
