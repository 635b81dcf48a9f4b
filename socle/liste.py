"""
Une longue liste du bureau : page après page par la clé de la dernière ligne, sans jamais compter.

Compter un million de lignes, ou sauter les cent premières pages, coûte une lecture entière ; suivre la clé, non.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, dumps, loads
from django.db.models import F, Model, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import HttpRequest

from socle.bureau import OfficeAdmin, get_codes

SEL = "socle.liste"
PAR_LOT = 2000


class ListeParCle(ChangeList):
    """La première page, ou celle d'après une clé ; `cle_suivante` est vide à la dernière."""

    is_par_cle = True
    cle_suivante = ""
    has_precedentes = False

    def get_results(self, request: HttpRequest) -> None:
        tri: list[str] = self.model_admin.tri  # type: ignore[attr-defined]  # la liste d'un `LongueListeAdmin`
        objets = self.queryset.order_by(*tri)
        if repere := _lire(request.GET.get(PAGE_VAR, ""), self.model, tri):
            objets = _apres(objets, tri, repere)
            self.has_precedentes = True
        lignes = list(objets[: self.list_per_page + 1])
        self.result_list = lignes[: self.list_per_page]
        if len(lignes) > self.list_per_page:
            cle = [str(self.result_list[-1].serializable_value(nom)) for nom in _nommer(tri)]
            self.cle_suivante = dumps(cle, salt=SEL)
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.result_list, self.list_per_page)

    @property
    def suite(self) -> str:
        """L'adresse de la page suivante, avec les filtres."""
        return self.get_query_string({PAGE_VAR: self.cle_suivante})

    @property
    def debut(self) -> str:
        """L'adresse de la première page, avec les filtres."""
        return self.get_query_string(remove=[PAGE_VAR])


def parcourir(objets: QuerySet[Any], tri: list[str]) -> Iterator[Any]:
    """
    Tous les objets, dans l'ordre de `tri`, lus lot par lot, chacun après la clé du dernier.

    Un curseur de la base ne le ferait pas partout : derrière PgBouncer il n'y en a pas, et tout viendrait en mémoire.
    """
    lot = list(objets.order_by(*tri)[:PAR_LOT])
    while lot:
        yield from lot
        repere = tuple(lot[-1].serializable_value(nom) for nom in _nommer(tri))
        lot = list(_apres(objets.order_by(*tri), tri, repere)[:PAR_LOT]) if len(lot) == PAR_LOT else []


def _apres(objets: QuerySet[Any], tri: list[str], repere: tuple[Any, ...]) -> QuerySet[Any]:
    compare = TupleLessThan if tri[0].startswith("-") else TupleGreaterThan
    return objets.filter(compare(Tuple(*(F(nom) for nom in _nommer(tri))), repere))


def _nommer(tri: list[str]) -> list[str]:
    return [champ.removeprefix("-") for champ in tri]


def _get_champ(modele: type[Model], nom: str) -> Any:
    return modele._meta.pk if nom == "pk" else modele._meta.get_field(nom)


def _lire(cle: str, modele: type[Model], tri: list[str]) -> tuple[Any, ...] | None:
    """Le repère d'une page, s'il est de nous et de cette liste ; sinon, c'est la première page."""
    try:
        repere = loads(cle, salt=SEL) if cle else []
        champs = [_get_champ(modele, nom) for nom in _nommer(tri)]
        return tuple(champ.to_python(valeur) for champ, valeur in zip(champs, repere, strict=True))
    except (BadSignature, ValueError, ValidationError):
        return None


class CafFilter(admin.SimpleListFilter):
    """Les Caf de l'agent, sans lire la table pour savoir lesquelles y paraissent ; rien s'il n'en a qu'une."""

    title = "Caf"
    parameter_name = "caf"

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: OfficeAdmin) -> None:
        self.chemin = model_admin.chemin_caf
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        codes = get_codes(request)
        return [(code, code) for code in codes] if len(codes) > 1 else []

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.chemin: self.value()}) if self.value() else queryset


class LongueListeAdmin(OfficeAdmin):
    """
    Une liste trop longue pour être comptée : un seul ordre, celui d'un index, et des pages par clé.

    `tri` : les champs de cet ordre, tous montants ou tous descendants ; ensemble, ils ne se répètent pas.
    """

    tri: list[str]
    list_per_page = 50
    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListeParCle

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.tri

    def parcourir(self, liste: ChangeList, request: HttpRequest) -> Iterable[Any]:
        return parcourir(liste.queryset, self.tri)
