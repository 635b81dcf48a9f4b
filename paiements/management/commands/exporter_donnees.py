import os
from pathlib import Path

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from comptes import journal
from comptes.identifiants import normaliser
from comptes.models import Utilisateur
from paiements.surveillance.personne import Table, rassembler
from socle.commandes import Code, Commande


class Command(Commande):
    help = "Répond à une demande d'accès : écrit, dans un fichier lisible, tout ce que le service sait d'une personne."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("numero", metavar="NUMERO", help="l'identifiant de la personne : code Caf et numéro")
        parser.add_argument("--sortie", required=True, type=Path, help="fichier à créer, lisible de vous seul")

    def handle(self, *, numero: str, sortie: Path, **_: object) -> None:
        comptes = Utilisateur.objects.select_related("allocataire__caf")
        compte = comptes.filter(identifiant=normaliser(numero), allocataire__isnull=False).first()
        if compte is None:
            raise CommandError(
                "Aucun compte d'allocataire ne porte cet identifiant : le code de la Caf, puis les sept chiffres.",
                returncode=Code.CONSTAT,
            )
        tables = list(rassembler(compte))
        if not self.a_blanc:
            self._ecrire(compte, tables, sortie)
        lignes = sum(len(table.lignes) for table in tables)
        fait = "à écrire" if self.a_blanc else "écrites"
        self.montrer({"lignes": lignes, "sortie": str(sortie)}, [f"{lignes} lignes {fait}."])

    def _ecrire(self, compte: Utilisateur, tables: list[Table], sortie: Path) -> None:
        try:
            descripteur = os.open(sortie, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as erreur:
            raise CommandError(
                f"{sortie} ne peut pas être créé : {erreur.strerror}.", returncode=Code.CONSTAT
            ) from erreur
        with os.fdopen(descripteur, "w", encoding="utf-8") as flux:
            flux.write(ecrire(compte, tables))
        journal.consigner(journal.Genre.CONSULTATION, allocataire=compte.allocataire, objet="export de ses données")


def ecrire(compte: Utilisateur, tables: list[Table]) -> str:
    """Le fichier entier : d'abord ce dont il s'agit, puis chaque table, vide ou non."""
    lignes = [
        "Vos données dans « Rembourser ma Caf »",
        f"Identifiant {compte.identifiant}, {timezone.localtime():%d/%m/%Y}",
        "",
        "Pourquoi et combien de temps elles sont gardées, qui les reçoit, vos droits : la page « Données",
        "personnelles » du service. Elles viennent de votre Caf, de vous, et de la plateforme de paiement",
        "PayZen. Ce qui est « gardé secret » ouvrirait votre compte à qui lirait ce fichier.",
    ]
    for table in tables:
        lignes += ["", f"## {table.nom} : {len(table.lignes) or 'rien'}"]
        for numero, champs in enumerate(table.lignes, 1):
            lignes += ["", f"{numero}."]
            lignes += [f"   {libelle} : {valeur}" for libelle, valeur in champs]
    return "\n".join(lignes) + "\n"
