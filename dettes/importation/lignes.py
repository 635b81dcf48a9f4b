"""Lire un fichier de la Caf ligne par ligne, en flux, sans la découper tant que rien ne le demande."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TextIO

from dettes.importation.manifeste import FichierAnnonce, LivraisonRefusee

SEPARATEUR = ";"


class Lecteur:
    """Les lignes d'un fichier, fins comprises ; `numero` est celui de la dernière lue, en lignes de texte."""

    def __init__(self, flux: TextIO) -> None:
        self.flux = flux
        self.numero = 0

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for texte in self.flux:
            self.numero += 1
            if '"' in texte:
                texte = self._finir(texte)
            yield self.numero, texte

    def _finir(self, debut: str) -> str:
        """Un champ entre guillemets peut tenir sur plusieurs lignes : où il finit, le lecteur de CSV le dit."""
        prises: list[str] = []

        def garder() -> Iterator[str]:
            for texte in chain([debut], self.flux):
                prises.append(texte)
                yield texte

        next(csv.reader(garder(), delimiter=SEPARATEUR, strict=True))
        self.numero += len(prises) - 1
        return "".join(prises)


@contextmanager
def ouvrir(fichier: FichierAnnonce) -> Iterator[Lecteur]:
    """Un fichier à lire ; ce qui arrête la lecture, ou le découpage d'une ligne, devient un refus qui dit où."""
    with fichier.chemin.open(encoding="utf-8-sig", newline="") as flux:
        lecteur = Lecteur(flux)
        try:
            yield lecteur
        except UnicodeDecodeError as erreur:
            raise LivraisonRefusee(
                f"{fichier.chemin.name} n'est pas en UTF-8 (après la ligne {lecteur.numero}). Réexportez-le."
            ) from erreur
        except csv.Error as erreur:
            raise LivraisonRefusee(
                f"{fichier.chemin.name}, ligne {lecteur.numero} : guillemets mal fermés ({erreur}). Réexportez-le."
            ) from erreur


def decouper(texte: str) -> list[str]:
    """Les champs d'une ligne ; aucun si elle est vide."""
    return next(csv.reader([texte], delimiter=SEPARATEUR, strict=True), [])
