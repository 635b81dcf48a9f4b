from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from paiements.surveillance.conservation import compter, effacer


class Command(BaseCommand):
    help = "Efface ce que les mentions de protection des données promettent de ne plus garder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--appliquer", action="store_true", help="effacer ; sans cette option, la commande montre")

    def handle(self, *, appliquer: bool, **options: object) -> None:
        for phrase, nombre in effacer() if appliquer else compter():
            self.stdout.write(f"{nombre}  {phrase}")
        if appliquer:
            call_command("clearsessions")
        else:
            self.stdout.write("Rien n'a été effacé : ajouter --appliquer.")
