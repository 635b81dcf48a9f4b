from datetime import date

from django.core.management.base import CommandError, CommandParser

from comptes import services
from comptes.models import Caf
from socle.commandes import Code, Commande, jour


class Command(Commande):
    help = "Arrête les paiements en ligne d'une Caf, de plusieurs, ou de toutes ; ceux en route se terminent."
    ecrit = True
    seule = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cafs", nargs="*", metavar="CAF", help="codes des Caf")
        parser.add_argument("--toutes", action="store_true", help="toutes celles qui sont ouvertes")
        parser.add_argument("--message", required=True, help="ce que liront les allocataires")
        parser.add_argument("--retour", type=jour, help="AAAA-MM-JJ : le retour prévu")

    def handle(self, *, cafs: list[str], toutes: bool, message: str, retour: date | None, **options: object) -> None:
        choisies = choisir(cafs, toutes=toutes, ouverte=True)
        if not message.strip():
            raise CommandError("Dites aux allocataires pourquoi : --message ne peut pas être vide.")
        if not self.a_blanc:
            for caf in choisies:
                services.suspendre(caf, message, retour, None)
        codes = [caf.pk for caf in choisies]
        self.montrer({"suspendues": codes}, [f"Suspendues : {', '.join(codes) or 'aucune'}."])


def choisir(codes: list[str], *, toutes: bool, ouverte: bool) -> list[Caf]:
    """
    Les Caf nommées, ou toutes, qui sont dans cet état.

    :raises CommandError: si un code est inconnu, ou si rien n'est nommé
    """
    if bool(codes) == toutes:
        raise CommandError("Nommez des Caf, ou dites --toutes.", returncode=Code.MAL_TAPEE)
    connues = Caf.objects.order_by("pk")
    if inconnues := set(codes) - set(connues.filter(pk__in=codes).values_list("pk", flat=True)):
        raise CommandError(f"Caf inconnue : {', '.join(sorted(inconnues))}.", returncode=Code.CONSTAT)
    return list(connues.filter(ouverte=ouverte) if toutes else connues.filter(pk__in=codes, ouverte=ouverte))
