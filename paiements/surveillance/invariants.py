"""
Ce qui doit être vrai à tout instant, en SQL de lecture seule.

Chaque requête rend une ligne par violation : l'objet en cause, et ce qui ne va pas. Aucune ligne : l'invariant tient.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import OperationalError, connection, transaction

from paiements.feuille.calcul import EQUATION
from paiements.surveillance import argent, suites
from paiements.surveillance.requetes import Invariant

FEUILLE = Invariant(
    "feuille_du_jour", "Dans chaque Caf, les trois livres sont d'équerre : tenu, imputé, parti.", EQUATION
)
INVARIANTS = [*argent.INVARIANTS, *suites.INVARIANTS, FEUILLE]
# À huit millions de dettes, la plus longue prend une minute ; les délais du web n'y suffisent pas.
DELAI = "20min"


class Violation(NamedTuple):
    invariant: Invariant
    objet: str
    detail: str


def verifier() -> Iterator[Violation]:
    """Rend les violations, dans une transaction en lecture seule : on peut la passer en production."""
    for _, violations in regarder():
        yield from violations


def regarder(pas_vus: dict[str, str] | None = None) -> Iterator[tuple[Invariant, list[Violation]]]:
    """
    Regarde les invariants un à un, en lecture seule : chacun, et ses violations.

    :param pas_vus: reçoit, par nom, pourquoi un invariant n'a pas pu être regardé ; les autres le sont quand même
    :raises OperationalError: si la base ne répond plus, ou, sans `pas_vus`, dès que l'un ne peut pas être regardé
    """
    with transaction.atomic(), connection.cursor() as curseur:
        curseur.execute(f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '{DELAI}'")
        for invariant in INVARIANTS:
            try:
                with transaction.atomic():
                    curseur.execute(invariant.sql)
                    violations = [Violation(invariant, objet, detail) for objet, detail in curseur.fetchall()]
            except OperationalError as echec:
                if pas_vus is None or not connection.is_usable():
                    raise
                pas_vus[invariant.nom] = str(echec).partition("\n")[0]
            else:
                yield invariant, violations
