from django.core.management.base import CommandError, CommandParser

from paiements.surveillance.conservation import compter, purger
from socle.commandes import CommandeSobre


class Command(CommandeSobre):
    help = "Efface ce que les mentions de protection des données promettent de ne plus garder, et en garde le rapport."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--appliquer", action="store_true", help="effacer ; sans cette option, la commande montre")

    def handle(self, *, appliquer: bool, **options: object) -> None:
        if not appliquer:
            for phrase, nombre in compter():
                self.stdout.write(f"{nombre}  {phrase}")
            self.stdout.write("Rien n'a été effacé : ajouter --appliquer.")
            return
        rapport = purger()
        for ligne in rapport:
            self.stdout.write(f"{ligne.effaces}  {ligne.regle} (il en reste {ligne.restants})")
        if tenaces := [ligne.regle for ligne in rapport if ligne.restants]:
            raise CommandError(f"Restent, bien que périmés : {', '.join(tenaces)}. Relancer ; sinon, lire le journal.")
