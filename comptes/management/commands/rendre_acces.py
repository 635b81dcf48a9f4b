"""Rouvrir la porte à qui a perdu son second facteur."""

from django.core.management.base import CommandError, CommandParser

from comptes import services
from comptes.identifiants import normaliser
from comptes.models import Utilisateur
from socle.commandes import CommandeSobre


class Command(CommandeSobre):
    help = (
        "Ôte la double authentification d'un compte, ferme ses sessions, et montre une fois le code à donner à "
        "l'agent ou à l'opérateur : lui seul permet d'en activer une nouvelle. À faire aussi après createsuperuser."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identifiant")

    def handle(self, *, identifiant: str, **_: object) -> None:
        utilisateur = Utilisateur.objects.filter(identifiant=normaliser(identifiant)).first()
        if utilisateur is None:
            raise CommandError(f"« {identifiant} » n'est pas un compte. Un agent se crée par manage.py creer_agent.")
        code = services.rendre_acces(utilisateur)
        self.stdout.write(self.style.SUCCESS(f"{utilisateur} : double authentification ôtée, sessions fermées."))
        if code is None:
            self.stdout.write("Le mot de passe suffit de nouveau.")
            return
        self.stdout.write("À donner de vive voix ; il vaut trois jours, une fois, à la page Première connexion.")
        self.stdout.write(f"Code, montré cette seule fois : {code}")
