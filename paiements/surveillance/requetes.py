"""Ce qu'il faut pour écrire un invariant : sa forme, et des constantes SQL faites de nos seules énumérations."""

from collections.abc import Iterable
from typing import NamedTuple

from paiements.models import Anomalie


class Invariant(NamedTuple):
    """`sql` rend une ligne par violation : l'objet en cause, et ce qui ne va pas."""

    nom: str
    phrase: str
    sql: str


def values(*lignes: tuple[str, ...]) -> str:
    """Une table SQL constante, faite de nos énumérations : aucun texte venu d'ailleurs."""
    return ", ".join("(" + ", ".join(f"'{valeur}'" for valeur in ligne) + ")" for ligne in lignes)


def liste(mots: Iterable[str]) -> str:
    """Une liste SQL constante, de même."""
    return "(" + ", ".join(f"'{mot}'" for mot in mots) + ")"


A_TRANCHER = liste([Anomalie.Etat.OUVERTE, Anomalie.Etat.ECARTEE])
