"""Ouvrir le compte d'un agent, ou changer son rôle et ses Caf."""

from getpass import getpass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from comptes import services
from comptes.models import Agent, Caf
from comptes.mots_de_passe import tirer_mot_de_passe


class Command(BaseCommand):
    help = "Crée un agent, ou met à jour le rôle et les Caf d'un agent existant, sans toucher son mot de passe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identifiant")
        parser.add_argument("--role", required=True, type=str.upper, choices=Agent.Role.values)
        parser.add_argument(
            "--caf", required=True, nargs="+", metavar="CODE", help="les Caf dont il voit les dossiers"
        )
        parser.add_argument(
            "--demander", action="store_true", help="demander le mot de passe ; sinon il est tiré et montré une fois"
        )

    def handle(self, *, identifiant: str, role: str, caf: list[str], demander: bool, **_: object) -> None:
        cafs = list(Caf.objects.filter(pk__in=caf))
        if inconnues := set(caf) - {trouvee.code for trouvee in cafs}:
            raise CommandError(
                f"Caf inconnues : {', '.join(sorted(inconnues))}. Vérifiez le code, ou lancez manage.py charger_cafs."
            )
        mot_de_passe = self._demander() if demander else tirer_mot_de_passe()
        try:
            agent, cree = services.creer_agent(identifiant, Agent.Role(role), cafs, mot_de_passe)
        except services.IdentifiantPris as pris:
            raise CommandError(f"« {identifiant} » est le compte d'un allocataire : donnez-en un autre.") from pris
        if not cree:
            self.stdout.write(self.style.SUCCESS(f"{agent} : rôle et Caf mis à jour, mot de passe gardé."))
            return
        self.stdout.write(self.style.SUCCESS(f"{agent} créé. Il activera sa double authentification en entrant."))
        if not demander:
            self.stdout.write(f"Mot de passe, montré cette seule fois : {mot_de_passe}")

    def _demander(self) -> str:
        mot_de_passe = getpass("Mot de passe : ")
        if mot_de_passe != getpass("Encore une fois : "):
            raise CommandError("Les deux mots de passe sont différents.")
        try:
            validate_password(mot_de_passe)
        except ValidationError as faible:
            raise CommandError(" ".join(faible.messages)) from faible
        return mot_de_passe
