"""Faire se rencontrer deux personnes : des fils derrière une barrière, chacun avec sa connexion."""

import threading
from collections.abc import Callable
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
