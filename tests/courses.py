"""
Faire se rencontrer deux personnes : des fils derrière une barrière, chacun avec sa connexion.

Une course ne compte que si elle a eu lieu : `fenetre` retient une écriture jusqu'à ce qu'un autre y bute, ou passe
à côté, et l'essai échoue si personne n'est venu.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection

T = TypeVar("T")

# Trois séquences, que nulle transaction ne cache ni n'annule : qui est entré, qui a fini, qui s'est rencontré.
OUVRIR = """
CREATE SEQUENCE courses_entrees;
CREATE SEQUENCE courses_fins MINVALUE 0;
CREATE SEQUENCE courses_rencontres;
SELECT nextval('courses_fins');
CREATE FUNCTION courses_attendre(autres int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    limite timestamptz := clock_timestamp() + interval '60 seconds';
    finis bigint := (SELECT last_value FROM courses_fins);
    venus bigint;
BEGIN
    IF (SELECT is_called FROM courses_rencontres) THEN RETURN; END IF;
    PERFORM nextval('courses_entrees');
    WHILE clock_timestamp() < limite LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT count(*) + (SELECT last_value FROM courses_fins) - finis INTO venus FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep');
        IF venus >= autres THEN
            PERFORM nextval('courses_rencontres');
            RETURN;
        END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
CREATE FUNCTION courses_retenir() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM courses_attendre(TG_ARGV[0]::int);
    RETURN NEW;
END $$;
"""
FERMER = """
DROP FUNCTION courses_retenir, courses_attendre;
DROP SEQUENCE courses_entrees, courses_fins, courses_rencontres;
"""
_ouverte = threading.Event()


def en_meme_temps(*gestes: Callable[[], T]) -> list[T | Exception]:
    """Lance les gestes au même instant ; rend ce que chacun a rendu ou levé, dans l'ordre donné."""
    barriere = threading.Barrier(len(gestes))
    issues: list[T | Exception] = [RuntimeError("fil sans réponse")] * len(gestes)

    def lancer(rang: int, geste: Callable[[], T]) -> None:
        try:
            barriere.wait(timeout=120)
            issues[rang] = geste()
        except Exception as erreur:  # le test lit ce que chaque fil a levé
            issues[rang] = erreur
        finally:
            if _ouverte.is_set():
                _demander("SELECT nextval('courses_fins')")
            connection.close()

    fils = [threading.Thread(target=lancer, args=(rang, geste)) for rang, geste in enumerate(gestes)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(timeout=120)
    return issues


def en_second(geste: Callable[[], T]) -> T:
    """Part une fois que l'autre est dans sa fenêtre : il a lu, et n'a pas encore écrit."""
    limite = time.monotonic() + 60
    while not _demander("SELECT is_called FROM courses_entrees") and time.monotonic() < limite:
        time.sleep(0.01)
    return geste()


def compter(issues: list[object], genre: type[Exception]) -> int:
    return sum(isinstance(issue, genre) for issue in issues)


@contextmanager
def rencontre() -> Iterator[None]:
    """
    Donne à la base `courses_attendre(autres)` : n'aller plus loin qu'une fois les autres venus.

    :raises AssertionError: si personne n'a rencontré personne
    """
    if _ouverte.is_set():
        yield
        return
    _executer(OUVRIR)
    _ouverte.set()
    try:
        yield
        assert _demander("SELECT is_called FROM courses_rencontres"), "la course n'a pas eu lieu"
    finally:
        _ouverte.clear()
        _executer(FERMER)


@contextmanager
def fenetre(table: str, operation: str = "UPDATE", *, autres: int = 1, quand: str = "BEFORE") -> Iterator[None]:
    """
    Retient la première écriture d'une table jusqu'à ce que `autres` fils aient lu l'état d'avant.

    Ils attendent un verrou, sont dans la même fenêtre, ou ont fini. Hors de toute transaction de test.

    :param quand: avec « AFTER », l'écriture est faite, et pas encore validée
    """
    nom = f"aaa_retenir_{operation.lower()}"
    appel = f"courses_retenir('{autres}')"
    with rencontre():
        _executer(f"CREATE TRIGGER {nom} {quand} {operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {appel}")
        try:
            yield
        finally:
            _executer(f"DROP TRIGGER {nom} ON {table}")


def _executer(sql: str) -> None:
    with connection.cursor() as curseur:
        curseur.execute(sql)


def _demander(sql: str) -> object:
    with connection.cursor() as curseur:
        curseur.execute(sql)
        return curseur.fetchone()[0]
