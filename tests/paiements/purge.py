"""Jouer la purge, et chercher ce qu'elle aurait laissé."""

import re
from io import StringIO

from django.core.management import call_command
from django.db import connection


def effacer(*options):
    sortie = StringIO()
    call_command("purger", *options, stdout=sortie)
    return sortie.getvalue()


def chercher(donnee):
    """
    Les tables de la base où ces signes se lisent, quelle qu'en soit la colonne ; sauf le nom des migrations.

    Un nombre n'est pas cherché dans un autre : une date, une clé ou une empreinte le portent par hasard.
    """
    motif = re.escape(donnee)
    if re.fullmatch("[0-9a-z]+", donnee):
        motif = f"(?<![0-9a-z.]){motif}(?![0-9a-z])"
    with connection.cursor() as curseur:
        tables = [table.name for table in connection.introspection.get_table_list(curseur)]
        trouvees = []
        for table in set(tables) - {"django_migrations"}:
            curseur.execute(f'SELECT 1 FROM "{table}" t WHERE t::text ~ %s LIMIT 1', [motif])  # noqa: S608
            trouvees += [table] * bool(curseur.fetchone())
    return trouvees
