"""Entendre ce qui est demandé à la base, ordres préparés compris : `CaptureQueriesContext` ne redit pas ceux-là."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def ecouter() -> Iterator[list[str]]:
    """Les ordres SQL exécutés, leurs valeurs à part, dans leur ordre."""
    entendus: list[str] = []

    def noter(execute: Any, sql: str, params: Any, many: bool, contexte: Any) -> Any:
        entendus.append(sql)
        return execute(sql, params, many, contexte)

    with connection.execute_wrapper(noter):
        yield entendus
