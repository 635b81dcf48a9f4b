"""Faire se rencontrer deux personnes : des fils derrière une barrière, chacun avec sa connexion."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def en_meme_temps(*gestes: Callable[[], T]) -> list[T | Exception]:
    """Lance les gestes au même instant ; rend ce que chacun a rendu ou levé, dans l'ordre donné."""
    barriere = threading.Barrier(len(gestes))
    issues: list[T | Exception] = [RuntimeError("fil sans réponse")] * len(gestes)

    def lancer(rang: int, geste: Callable[[], T]) -> None:
        try:
            barriere.wait(timeout=10)
            issues[rang] = geste()
        except Exception as erreur:  # le test lit ce que chaque fil a levé
            issues[rang] = erreur
        finally:
            connection.close()

    fils = [threading.Thread(target=lancer, args=(rang, geste)) for rang, geste in enumerate(gestes)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(timeout=30)
    return issues


@contextmanager
def fenetre(
    table: str, operation: str = "UPDATE", secondes: float = 0.3, nom: str = "attendre", quand: str = "BEFORE"
) -> Iterator[None]:
    """
    Retient chaque écriture d'une table juste avant qu'elle se fasse : les autres ont le temps de lire l'état d'avant.

    Avec `quand="AFTER"`, elle est faite, et pas encore validée.

    Une course se joue alors à coup sûr, au lieu d'une fois sur dix. Hors de toute transaction de test.
    """
    with connection.cursor() as curseur:
        curseur.execute(
            f"""
            CREATE FUNCTION {nom}() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep({secondes}); RETURN NEW; END $$;
            CREATE TRIGGER aaa_{nom} {quand} {operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {nom}();
            """
        )
    try:
        yield
    finally:
        with connection.cursor() as curseur:
            curseur.execute(f"DROP TRIGGER aaa_{nom} ON {table}; DROP FUNCTION {nom}()")
