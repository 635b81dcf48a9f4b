"""Rouvrir la porte à qui a perdu son second facteur."""

from collections.abc import Iterator

from django.core.management.base import CommandError, CommandParser

from comptes import services
from comptes.identifiants import normaliser
from comptes.models import Utilisateur
from socle.commandes import Code, Commande


class Command(Commande):
    help = (
        "Ôte la double authentification d'un compte, ferme ses sessions, et montre une fois le code à donner à "
        "l'agent ou à l'opérateur : lui seul permet d'en activer une nouvelle. À faire aussi après createsuperuser."
    )
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identifiant", help="le compte de l'agent, de l'opérateur ou de l'allocataire")

    def handle(self, *, identifiant: str, **_: object) -> None:
        utilisateur = Utilisateur.objects.filter(identifiant=normaliser(identifiant)).first()
        if utilisateur is None:
            raise CommandError(
                f"« {identifiant} » n'est pas un compte. Un agent se crée par manage.py creer_agent.",
                returncode=Code.CONSTAT,
            )
        code = None if self.a_blanc else services.rendre_acces(utilisateur)
        self.montrer({"compte": str(utilisateur), "code": code}, self._dire(utilisateur, code))

    def _dire(self, utilisateur: Utilisateur, code: str | None) -> Iterator[str]:
        if self.a_blanc:
            yield f"{utilisateur} : la double authentification serait ôtée, les sessions fermées."
            return
        yield f"{utilisateur} : double authentification ôtée, sessions fermées."
        if code is None:
            yield "Le mot de passe suffit de nouveau."
            return
        yield "À donner de vive voix ; il vaut trois jours, une fois, à la page Première connexion."
        yield f"Code, montré cette seule fois : {code}"
