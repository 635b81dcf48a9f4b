"""Ouvrir le compte d'un agent, ou changer son rôle et ses Caf."""

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email

from comptes import activation, services
from comptes.models import Agent, Caf
from socle.commandes import CommandeSobre


class Command(CommandeSobre):
    help = (
        "Crée un agent, et montre une fois le code qui lui fera choisir son mot de passe et activer sa double "
        "authentification ; ou met à jour le rôle, les Caf et le courriel d'un agent existant."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identifiant")
        parser.add_argument("--role", required=True, type=str.upper, choices=Agent.Role.values)
        parser.add_argument(
            "--caf", required=True, nargs="+", metavar="CODE", help="les Caf dont il voit les dossiers"
        )
        parser.add_argument("--courriel", default="", help="où le prévenir de tout changement de son accès")

    def handle(self, *, identifiant: str, role: str, caf: list[str], courriel: str, **_: object) -> None:
        cafs = list(Caf.objects.filter(pk__in=caf))
        if inconnues := set(caf) - {trouvee.code for trouvee in cafs}:
            raise CommandError(
                f"Caf inconnues : {', '.join(sorted(inconnues))}. Vérifiez le code, ou lancez manage.py charger_cafs."
            )
        try:
            if courriel:
                validate_email(courriel)
            agent, cree = services.creer_agent(identifiant, Agent.Role(role), cafs, courriel)
        except ValidationError as illisible:
            raise CommandError(f"« {courriel} » n'est pas une adresse de courriel.") from illisible
        except services.IdentifiantPris as pris:
            raise CommandError(f"« {identifiant} » est le compte d'un allocataire : donnez-en un autre.") from pris
        self._annoncer(agent, cree=cree)

    def _annoncer(self, agent: Agent, *, cree: bool) -> None:
        if not agent.utilisateur.courriel:
            self.stdout.write(
                self.style.WARNING("Sans --courriel, rien ne le préviendra d'un changement de son accès.")
            )
        if not cree:
            self.stdout.write(self.style.SUCCESS(f"{agent} : rôle et Caf mis à jour, mot de passe gardé."))
            return
        self.stdout.write(self.style.SUCCESS(f"{agent} créé. Il entre par la page Première connexion."))
        code = activation.emettre_pour_un_agent(agent.utilisateur)
        self.stdout.write(f"Code à lui donner de vive voix, valable trois jours, montré cette seule fois : {code}")
