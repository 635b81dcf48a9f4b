"""
Ce que toutes les commandes de l'exploitant ont en commun : mêmes options, mêmes codes de sortie, une ligne par panne.

Qui écrit le fait à blanc d'abord : rien ne change sans `--appliquer`. `--json` rend un seul objet, pour une machine.
"""

import json
import traceback
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper, SystemCheckError
from django.db import InterfaceError, OperationalError

from socle.attente import seul

T = TypeVar("T")
A_BLANC = "Rien n'a été écrit : ajoutez --appliquer."


class Code(IntEnum):
    """Le code de sortie : ce qu'un superviseur lit sans lire la phrase."""

    BON = 0
    # Un constat : invariant violé, livraison refusée, travail en retard. Relancer n'y changera rien.
    CONSTAT = 1
    # Celui d'argparse : la commande est mal tapée.
    MAL_TAPEE = 2
    # Base injoignable, délai dépassé, plateforme muette, arrêt imprévu : rien n'est su, relancer plus tard.
    PAS_PU = 3
    INTERROMPUE = 130


def jour(texte: str) -> date:
    """Un jour tapé AAAA-MM-JJ, pour `argparse`."""
    try:
        return date.fromisoformat(texte)
    except ValueError:
        raise ArgumentTypeError(f"« {texte} » n'est pas un jour : écrivez AAAA-MM-JJ") from None


def dire_l_imprevu(imprevu: Exception) -> str:
    """Une ligne : quoi, et où dans notre code. Le reste du message porte parfois des valeurs (`--traceback`)."""
    cadres = [(Path(cadre.filename).resolve(), cadre.lineno) for cadre in traceback.extract_tb(imprevu.__traceback__)]
    # Le dernier qui soit de nous : `execute`, au moins.
    *_, (fichier, ligne) = [c for c in cadres if c[0].is_relative_to(settings.BASE_DIR) and ".venv" not in c[0].parts]
    ou = f"{fichier.relative_to(settings.BASE_DIR)}:{ligne}"
    quoi = str(imprevu) if isinstance(imprevu, OSError) else type(imprevu).__name__
    return f"Arrêt imprévu : {quoi} ({ou}). Rien n'est su : relancez ; --traceback montre tout à qui développe."


class CommandeSobre(BaseCommand):
    """Une commande dont les pannes sont une ligne et un code, jamais une trace."""

    # L'aide de la commande, et non celle de Django.
    suppressed_base_arguments = {
        *("--version", "--verbosity", "--settings", "--pythonpath", "--no-color", "--force-color", "--skip-checks")
    }

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Lance la commande ; base éteinte, délai passé, Ctrl-C, imprévu : `CommandError`, et son code."""
        try:
            with self.reserver():
                return super().execute(*args, **options)
        except (OperationalError, InterfaceError) as panne:
            # La suite du message porte parfois des valeurs.
            premiere = str(panne).partition("\n")[0]
            raise CommandError(f"La base n'a pas répondu : {premiere}. Relancez.", returncode=Code.PAS_PU) from panne
        except KeyboardInterrupt:
            raise CommandError("Interrompue.", returncode=Code.INTERROMPUE) from None
        except SystemCheckError as refus:
            refus.returncode = Code.PAS_PU
            raise
        except CommandError:
            raise
        except Exception as imprevu:  # quoi qu'elle lève, ce n'est pas un constat
            raise CommandError(dire_l_imprevu(imprevu), returncode=Code.PAS_PU) from imprevu

    def reserver(self) -> AbstractContextManager[None]:
        """Ce que la commande garde pour elle le temps qu'elle dure : rien."""
        return nullcontext()


class Commande(CommandeSobre):
    """
    Une commande de l'exploitant.

    `handle` reçoit ses options propres, et `appliquer` si la commande `ecrit` ; elle montre par `montrer`, et dit ce
    qui ne va pas par `CommandError(phrase, returncode=Code.…)`.
    """

    ecrit = False
    # Deux à la fois se gêneraient : la seconde, si elle écrit, est refusée d'une phrase.
    seule = False

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Ajoute `--json`, et `--appliquer` si la commande écrit."""
        analyseur = super().create_parser(prog_name, subcommand, **options)
        analyseur.add_argument("--json", action="store_true", dest="en_json", help="rendre un objet JSON")
        if self.ecrit:
            analyseur.add_argument("--appliquer", action="store_true", help="écrire ; sans cette option, montrer")
        return analyseur

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Lance la commande ; avec `--json`, un échec est un objet aussi."""
        self.en_json: bool = options.pop("en_json", False)
        if options.get("stdout"):  # Django ne la prend qu'une fois la place réservée
            self.stdout = OutputWrapper(options["stdout"])
        self.montre = False
        self.a_blanc = self.ecrit and not options.get("appliquer")
        try:
            return super().execute(*args, **options)
        except CommandError as echec:
            if self.en_json and not self.montre:
                objet = {"echec": str(echec), "code": int(echec.returncode)}
                self.stdout.write(json.dumps(objet, ensure_ascii=False))
            raise

    @contextmanager
    def reserver(self) -> Iterator[None]:
        """Sa place, si elle doit être seule à écrire."""
        if not self.seule or self.a_blanc:
            yield
            return
        nom = type(self).__module__.rpartition(".")[2]
        refus = CommandError(f"{nom} tourne déjà : attendez sa fin, puis relancez.", returncode=Code.PAS_PU)
        with seul(f"commande {nom}", refus):
            yield

    def suivre(self, choses: Sequence[T], quoi: str) -> Iterator[T]:
        """Les choses, une à une ; une personne à son terminal voit où l'on en est, une machine rien."""
        is_regardee = not self.en_json and self.stderr.isatty()
        for rang, chose in enumerate(choses, 1):
            if is_regardee:
                self.stderr.write(f"\r{rang}/{len(choses)} {quoi}", ending="\n" if rang == len(choses) else "")
                self.stderr.flush()
            yield chose

    def montrer(self, compte_rendu: Mapping[str, Any], phrases: Iterable[str]) -> None:
        """Rend le compte rendu : l'objet entier à une machine, des phrases à une personne. À n'appeler qu'une fois."""
        self.montre = True
        if self.en_json:
            objet = {"applique": not self.a_blanc, **compte_rendu} if self.ecrit else compte_rendu
            self.stdout.write(json.dumps(objet, ensure_ascii=False, default=str))
            return
        for phrase in phrases:
            self.stdout.write(phrase)
        if self.a_blanc:
            self.stdout.write(A_BLANC)
