"""Ouvrir le compte d'un agent, ou changer son rôle et ses Caf."""

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from comptes import activation, services
from comptes.models import Agent, Caf
from socle.commandes import Code, Commande


class Command(Commande):
    help = (
        "Crée un agent, et montre une fois le code qui lui fera choisir son mot de passe et activer sa double "
        "authentification ; ou met à jour le rôle, les Caf et le courriel d'un agent existant."
    )
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identifiant", help="celui que l'agent tapera pour entrer")
        parser.add_argument(
            "--role", required=True, type=str.upper, choices=Agent.Role.values, help="ce qu'il a le droit de faire"
        )
        parser.add_argument(
            "--caf", required=True, nargs="+", metavar="CODE", help="les Caf dont il voit les dossiers"
        )
        parser.add_argument("--courriel", default="", help="où le prévenir de tout changement de son accès")

    def handle(self, *, identifiant: str, role: str, caf: list[str], courriel: str, **_: object) -> None:
        cafs = list(Caf.objects.filter(pk__in=caf))
        if inconnues := set(caf) - {trouvee.code for trouvee in cafs}:
            raise CommandError(
                f"Caf inconnues : {', '.join(sorted(inconnues))}. Vérifiez le code, ou lancez manage.py charger_cafs.",
                returncode=Code.MAL_TAPEE,
            )
        try:
            if courriel:
                validate_email(courriel)
            with transaction.atomic():
                agent, cree = services.creer_agent(identifiant, Agent.Role(role), cafs, courriel)
                code = activation.emettre_pour_un_agent(agent.utilisateur) if cree and not self.a_blanc else None
                transaction.set_rollback(self.a_blanc)
        except ValidationError as illisible:
            raise CommandError(
                f"« {courriel} » n'est pas une adresse de courriel.", returncode=Code.MAL_TAPEE
            ) from illisible
        except services.IdentifiantPris as pris:
            raise CommandError(
                f"« {identifiant} » est le compte d'un allocataire : donnez-en un autre.", returncode=Code.CONSTAT
            ) from pris
        compte_rendu = {"agent": str(agent), "cree": cree, "code": code}
        self.montrer(compte_rendu, dire(agent, code, cree=cree))


def dire(agent: Agent, code: str | None, *, cree: bool) -> Iterator[str]:
    """Ce qui est fait, ou le serait ; le code, une seule fois."""
    if not agent.utilisateur.courriel:
        yield "Sans --courriel, rien ne le préviendra d'un changement de son accès."
    if not cree:
        yield f"{agent} : rôle et Caf mis à jour, mot de passe gardé."
        return
    yield f"{agent} créé. Il entre par la page Première connexion."
    if code:
        yield f"Code à lui donner de vive voix, valable trois jours, montré cette seule fois : {code}"
