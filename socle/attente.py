"""Le travail en attente en base : en prendre un lot le temps d'un bail, ne pas attendre un verrou, être seul."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from psycopg.errors import LockNotAvailable


def reserver(en_attente: QuerySet, champ: str, *, combien: int, bail: timedelta) -> list[int]:  # type: ignore[type-arg]  # sert à tous les modèles
    """
    Prend ce dont l'heure est venue, le plus en retard d'abord, et remet l'heure après le bail ; rend les clés.

    Deux workers ne prennent pas la même ligne ; si le nôtre meurt, le bail échu la rend.

    :param champ: le champ qui dit l'heure, UTC
    """
    with transaction.atomic():
        dus = en_attente.filter(**{f"{champ}__lte": timezone.now()}).order_by(champ)
        libres = dus.select_for_update(of=("self",), skip_locked=True, no_key=True)  # garde: verrou_de_qui_reserve
        cles = list(libres.values_list("pk", flat=True)[:combien])
        en_attente.model.objects.filter(pk__in=cles).update(**{champ: timezone.now() + bail})  # garde: bail
    return cles


class Occupe(Exception):
    """Un autre tient ce qu'il fallait."""


@contextmanager
def seul(cle: str, refus: Exception) -> Iterator[None]:
    """
    Ce qui ne se fait pas à deux, d'une commande entière : plusieurs transactions, et des fichiers.

    Tenu par une transaction à part, et non par une connexion : PgBouncer en change (docs/adr/0058).

    :param refus: ce qui se lève si un autre le tient déjà
    """
    tenue = connection.copy()
    try:
        tenue.set_autocommit(False)
        with tenue.cursor() as curseur:
            curseur.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            curseur.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [cle])
            if not curseur.fetchone()[0]:  # garde: une_commande_a_la_fois
                raise refus
        yield
    finally:
        tenue.rollback()  # rendu aussitôt : la base n'apprend qu'après coup qu'une connexion est fermée
        tenue.close()


@contextmanager
def verrous_courts(delai: timedelta) -> Iterator[None]:
    """
    Une transaction où un verrou tenu par un autre ne s'attend pas plus que ce délai : une personne est devant.

    :raises Occupe: si un autre tient encore ce qu'il fallait
    """
    try:
        with transaction.atomic():
            with connection.cursor() as curseur:
                millisecondes = str(delai // timedelta(milliseconds=1))
                curseur.execute("SELECT set_config('lock_timeout', %s, true)", [millisecondes])
            yield
    except OperationalError as echec:
        if is_verrou_tenu(echec):
            raise Occupe("un autre tient ces lignes") from echec
        raise


def is_verrou_tenu(echec: BaseException) -> bool:
    """Vrai si la base a renoncé à attendre un verrou : rien n'est cassé, il suffit de réessayer."""
    return isinstance(echec.__cause__, LockNotAvailable)
