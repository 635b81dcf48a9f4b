"""Les codes à envoyer par la poste."""

import csv
import os
from pathlib import Path

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import QuerySet

from comptes import activation
from comptes.models import Caf, Utilisateur
from socle.commandes import Code, Commande


class Command(Commande):
    help = (
        "Tire un code de première connexion pour chaque compte d'une Caf qui n'a ni mot de passe ni code en "
        "attente, et les écrit pour l'envoi postal."
    )
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("caf", metavar="CAF", help="code de la Caf")
        parser.add_argument("--sortie", required=True, type=Path, help="fichier à créer, lisible de vous seul")
        parser.add_argument(
            "--identifiant", nargs="+", default=[], help="seulement ces comptes, même s'ils ont un mot de passe"
        )

    def handle(self, *, caf: str, sortie: Path, identifiant: list[str], **_: object) -> None:
        """Tout ou rien : un code en base est un code au fichier. Le fichier ne porte aucun nom."""
        if not Caf.objects.filter(pk=caf).exists():
            raise CommandError(
                f"Caf inconnue : {caf}. Vérifiez le code, ou lancez manage.py charger_cafs.", returncode=Code.MAL_TAPEE
            )
        demandes = activation.get_demandes(caf, identifiant) if identifiant else activation.get_sans_mot_de_passe(caf)
        combien = len(demandes) if self.a_blanc else self._ecrire(demandes, sortie)
        fait = "à écrire" if self.a_blanc else "écrits"
        self.montrer({"codes": combien, "sortie": str(sortie)}, [f"{combien} codes {fait} dans {sortie}."])

    def _ecrire(self, demandes: QuerySet[Utilisateur], sortie: Path) -> int:
        try:
            descripteur = os.open(sortie, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as erreur:
            raise CommandError(
                f"{sortie} ne peut pas être créé : {erreur.strerror}.", returncode=Code.CONSTAT
            ) from erreur
        try:
            # Le fichier se ferme avant la validation : disque plein, aucun code n'est en base.
            with transaction.atomic(), os.fdopen(descripteur, "w", encoding="utf-8", newline="") as flux:
                codes = activation.emettre(demandes)
                # Groupés, un tableur les garde en texte, avec leurs zéros.
                lignes = [(f"{compte[:3]} {compte[3:]}", f"{code[:5]} {code[5:]}") for compte, code in codes.items()]
                csv.writer(flux, delimiter=";").writerows([("identifiant", "code"), *lignes])
                flux.flush()
                os.fsync(flux.fileno())
        except BaseException:
            sortie.unlink()
            raise
        return len(codes)
