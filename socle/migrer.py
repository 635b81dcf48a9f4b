"""Une migration prend le temps qu'il lui faut : la limite d'un ordre est faite pour une page."""

from typing import Any

from django.db import connections


def lever_la_limite(*, using: str, **_: Any) -> None:
    """
    Avant tout `migrate` : aucun ordre n'est coupé à trente secondes.

    Un verrou ne s'attend pas plus que d'ordinaire (`lock_timeout`) : qui l'attend arrête ceux qui paient derrière.
    """
    with connections[using].cursor() as curseur:
        curseur.execute("SET statement_timeout = 0")


def remettre_la_limite(*, using: str, **_: Any) -> None:
    """Après : celle de la connexion. Un `migrate` qui échoue finit avec elle."""
    with connections[using].cursor() as curseur:
        curseur.execute("RESET statement_timeout")
