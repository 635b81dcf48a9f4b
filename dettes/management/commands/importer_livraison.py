import json
from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from dettes import importation
from dettes.importation.livraison import REJETS, CompteRendu


def seuil(texte: str) -> Decimal:
    """Une part entre 0 et 1 ; `argparse` fait d'une ValueError un message."""
    try:
        part = Decimal(texte)
    except InvalidOperation as erreur:
        raise ValueError(texte) from erreur
    if not 0 <= part <= 1:
        raise ValueError(texte)
    return part


class Command(BaseCommand):
    help = "Prend des livraisons de la Caf : allocataires et dettes, une transaction par livraison."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dossiers", nargs="+", type=Path, metavar="DOSSIER", help="une livraison et son manifeste")
        parser.add_argument("--essai", action="store_true", help="tout montrer, ne rien écrire")
        parser.add_argument("--json", action="store_true", help="un compte rendu JSON par ligne et par livraison")
        parser.add_argument(
            "--seuil-rejets",
            type=seuil,
            default=settings.IMPORT_SEUIL_REJETS,
            help="part des lignes d'un fichier que l'on accepte de rejeter, entre 0 et 1 (%(default)s)",
        )
        parser.add_argument("--rejets", type=Path, default=REJETS, help="dossier des fichiers de rejets (%(default)s)")

    def handle(self, *, dossiers: list[Path], **options: Any) -> None:
        refusees = 0
        for dossier in dossiers:
            compte_rendu = self._importer(dossier, options)
            refusees += compte_rendu["issue"] == "refusee"
            self.stdout.write(json.dumps(compte_rendu, ensure_ascii=False) if options["json"] else dire(compte_rendu))
        if refusees:
            raise CommandError(f"{refusees} livraison(s) refusée(s) sur {len(dossiers)} ; rien n'en a été écrit.")

    def _importer(self, dossier: Path, options: dict[str, Any]) -> CompteRendu:
        try:
            return importation.importer(
                dossier, essai=options["essai"], seuil=options["seuil_rejets"], ou_rejeter=options["rejets"]
            )
        except importation.LivraisonRefusee as refus:
            return {"dossier": str(dossier), "issue": "refusee", "motif": str(refus)}
        except OperationalError as erreur:
            premiere = str(erreur).partition("\n")[0]
            return {"dossier": str(dossier), "issue": "refusee", "motif": f"la base a refusé : {premiere}. Relancez."}


def dire(compte_rendu: CompteRendu) -> str:
    """Le compte rendu en quelques lignes, pour qui lit l'écran."""
    if compte_rendu["issue"] == "refusee":
        return f"{compte_rendu['dossier']} : REFUSÉE. {compte_rendu['motif']}"
    titre = f"Livraison {compte_rendu['caf']} n° {compte_rendu['sequence']} ({compte_rendu['mode']})"
    if compte_rendu["issue"] == "deja_prise":
        return f"{titre} : déjà prise, rien ne bouge."
    lignes = [f"{titre} : {'essai, rien n’est écrit' if compte_rendu['issue'] == 'essai' else 'prise'}."]
    for nom in ("allocataires", "dettes"):
        lignes.append(
            "  {nom:<13} {lus} lus, {crees} créés, {changes} changés, {inchanges} inchangés, {rejetes} rejetés".format(
                nom=nom, **compte_rendu[nom]
            )
        )
    dettes = compte_rendu["dettes"]
    faits = {
        "comptes ouverts": compte_rendu["allocataires"]["comptes_ouverts"],
        "dettes soldées car absentes": dettes["soldees_par_absence"],
        "montants initiaux gardés malgré le fichier": dettes["montants_initiaux_gardes"],
        "soldes qui seraient négatifs, mis à zéro": dettes["soldes_negatifs"],
    }
    lignes += [f"  {nombre} {fait}" for fait, nombre in faits.items() if nombre]
    lignes += [f"  rejet : {r['fichier']}, ligne {r['ligne']} : {r['motif']}" for r in compte_rendu["rejets"]]
    if compte_rendu["fichier_rejets"]:
        lignes.append(f"  tous les rejets : {compte_rendu['fichier_rejets']}")
    lignes.append(f"  durée : {compte_rendu['duree_s']} s")
    return "\n".join(lignes)
