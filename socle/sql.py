"""
Des ordres SQL écrits une fois : l'ORM ne les recompose pas à chaque appel, et la base n'en refait pas le plan.

Pour le chemin d'un paiement ordinaire, où composer et planifier coûtaient dix fois lire et écrire, et pour ce que lit
chaque page d'une personne (docs/adr/0063).
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any, Generic, TypeVar, cast

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import BooleanField, Expression, Func, Model, QuerySet
from django.db.models.query import get_related_populators
from django.utils.functional import cached_property

Lu = TypeVar("Lu")


def executer(ordre: str, valeurs: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """
    Exécute un ordre qui rend des lignes (SELECT, ou RETURNING), et dont les valeurs voyagent à part.

    Une connexion n'en fait le plan qu'une fois (`prepare_threshold`, settings.py) : l'ordre est une constante.
    """
    with connection.cursor() as curseur:
        curseur.cursor = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]  # les types disent celui de psycopg2
        curseur.execute(ordre, valeurs)
        lignes: list[tuple[Any, ...]] = curseur.fetchall()
        return lignes


def executer_chacun(ordre: str, valeurs: Sequence[Mapping[str, Any]]) -> None:
    """Exécute de même un ordre pour chacune de ces valeurs, sans attendre la réponse de l'une pour donner l'autre."""
    if len(valeurs) == 1:  # rien à ne pas attendre, et c'est le paiement ordinaire
        executer(ordre, valeurs[0])
        return
    with connection.cursor() as curseur:
        curseur.cursor = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]  # idem
        curseur.executemany(ordre, valeurs)


def inserer_s_il_manque(objet: Model) -> None:
    """Insère un objet neuf, sauf si un autre tient déjà sa place."""
    champs = [champ for champ in objet._meta.concrete_fields if not champ.primary_key]
    noms = ", ".join(f'"{champ.column}"' for champ in champs)
    places = ", ".join(["%s"] * len(champs))
    cle = f"RETURNING {objet._meta.pk.column}"
    ordre = f'INSERT INTO "{objet._meta.db_table}" ({noms}) VALUES ({places}) ON CONFLICT DO NOTHING {cle}'  # noqa: S608
    executer(ordre, [getattr(objet, champ.attname) for champ in champs])


class Colonnes:
    """Les colonnes d'un modèle dans un ordre écrit : son nom y est celui de la table, sous cet alias."""

    def __init__(self, modele: type[Model], alias: str) -> None:
        self.modele = modele
        champs = modele._meta.concrete_fields
        self.noms = [champ.attname for champ in champs]
        self.cle = next(rang for rang, champ in enumerate(champs) if champ.primary_key)
        self.sql = ", ".join(f'{alias}."{champ.column}"' for champ in champs)

    def __str__(self) -> str:
        return self.sql


def batir(ligne: tuple[Any, ...], *lues: Colonnes) -> list[Any]:
    """Les objets d'une ligne, dans l'ordre de ses colonnes, None où la jointure n'a rien trouvé ; puis le reste."""
    objets: list[Any] = []
    debut = 0
    for colonnes in lues:
        valeurs = ligne[debut : (debut := debut + len(colonnes.noms))]
        absent = valeurs[colonnes.cle] is None
        objets.append(None if absent else colonnes.modele.from_db(connection.alias, colonnes.noms, valeurs))
    return objets + list(ligne[debut:])


class Place(Expression):
    """La place d'une valeur, dans une lecture que l'on compose avant de la connaître."""

    def __init__(self, rang: int) -> None:
        super().__init__()
        self.rang = rang

    def as_sql(self, compiler: object, connection: object) -> tuple[str, Any]:
        return "%s", [self]


class Parmi(Func):
    """``Parmi("pk", place)`` : le champ est l'une des valeurs de cette place, quel qu'en soit le nombre."""

    arg_joiner = " = ANY("
    template = "%(expressions)s)"
    output_field = BooleanField()


class Lecture(Generic[Lu]):
    """
    Une lecture de l'ORM, dont seules des valeurs changent : composée au premier appel, puis seulement exécutée.

    Les règles restent dans les QuerySet, où l'ORM les compose ; `select_related`, `annotate` et `values_list` y ont
    leur place, pas `prefetch_related`.

    :param composer: rend le QuerySet, avec à la place de chaque valeur la `Place` qu'on lui donne
    """

    def __init__(self, composer: Callable[..., QuerySet[Any, Lu]]) -> None:
        self.composer = composer

    @cached_property
    def _composee(self) -> tuple[str, Sequence[Any], Callable[[tuple[Any, ...]], Lu]]:
        """L'ordre, ses valeurs ou leurs places, et de quoi bâtir l'objet d'une ligne, ou la ligne même."""
        places = (Place(rang) for rang in range(len(signature(self.composer).parameters)))
        compose: Any = self.composer(*places)
        compiler = compose.query.get_compiler(connection.alias)
        ordre, valeurs = compiler.as_sql()
        if compose._fields is not None:  # `values_list`
            return ordre, valeurs, cast("Callable[[tuple[Any, ...]], Lu]", tuple)
        lus, champs = compiler.klass_info, compiler.klass_info["select_fields"]
        debut, fin = champs[0], champs[-1] + 1
        noms = [choisi[0].target.attname for choisi in compiler.select[debut:fin]]
        lies = get_related_populators(lus, compiler.select, connection.alias)  # type: ignore[call-arg]  # ils disent celui de Django 6

        def batir_l_objet(ligne: tuple[Any, ...]) -> Lu:
            objet = lus["model"].from_db(connection.alias, noms, ligne[debut:fin])
            for lie in lies:
                lie.populate(ligne, objet)
            for nom, rang in compiler.annotation_col_map.items():
                setattr(objet, nom, ligne[rang])
            return cast("Lu", objet)

        return ordre, valeurs, batir_l_objet

    def lire(self, *valeurs: object) -> list[Lu]:
        """Les objets, ou lignes, que donnent ces valeurs, une par place, dans l'ordre des paramètres de `composer`."""
        ordre, places, batir_l_objet = self._composee
        lues = [valeurs[place.rang] if isinstance(place, Place) else place for place in places]
        return [batir_l_objet(ligne) for ligne in executer(ordre, lues)]
