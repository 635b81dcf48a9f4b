from django.core.management.base import CommandError

from paiements.surveillance.conservation import compter, purger
from socle.commandes import Code, Commande


class Command(Commande):
    help = "Efface ce que les mentions de protection des données promettent de ne plus garder, et en garde le rapport."
    ecrit = True
    seule = True

    def handle(self, **options: object) -> None:
        if self.a_blanc:
            perimes = dict(compter())
            self.montrer({"perimes": perimes}, [f"{nombre}  {phrase}" for phrase, nombre in perimes.items()])
            return
        rapport = purger()
        tenaces = [ligne.regle for ligne in rapport if ligne.restants]
        self.montrer(
            {"effaces": {ligne.regle: ligne.effaces for ligne in rapport}, "restent": tenaces},
            [f"{ligne.effaces}  {ligne.regle} (il en reste {ligne.restants})" for ligne in rapport],
        )
        if tenaces:
            raise CommandError(
                f"Restent, bien que périmés : {', '.join(tenaces)}. Relancer ; sinon, lire le journal.",
                returncode=Code.CONSTAT,
            )
