"""Les filtres d'affichage : montants, jours et périodes, tableaux."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from django import template
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext

from socle.euros import ecrire_euros, ecrire_euros_court, ecrire_saisie

register = template.Library()

PREMIER = re.compile(r"\b1(?= [a-zéû]+)")


euros = register.filter("euros", ecrire_euros)
euros_court = register.filter("euros_court", ecrire_euros_court)
saisie = register.filter("saisie", ecrire_saisie)


@register.filter
def oppose(montant: Decimal) -> Decimal:
    """Le montant contraire : une reprise se montre en positif."""
    return -montant


@register.filter
def periode(debut: date | None, fin: date | None) -> str:
    """
    Dit en clair les mois d'une période : « avril à juin 2025 », « décembre 2024 à mars 2025 », « mai 2025 ».

    Rend une chaîne vide si le début manque.
    """
    return _dire_la_periode(debut, fin, get_language()) if debut else ""


@lru_cache(maxsize=4096)
def _dire_la_periode(debut: date, fin: date | None, _langue: str | None) -> str:
    """Gardée par langue, qui est l'active : une page de vingt dettes en dit quatre-vingts."""
    if fin is None or (debut.year, debut.month) == (fin.year, fin.month):
        return date_format(debut, "F Y")
    premier = date_format(debut, "F" if debut.year == fin.year else "F Y")
    return gettext("{debut} à {fin}").format(debut=premier, fin=date_format(fin, "F Y"))


@register.filter(expects_localtime=True)
def jour(quand: date, forme: str = "j F Y") -> str:
    """Écrit un jour en toutes lettres ; en français, le premier du mois comme on le dit : « 1er mars 2026 »."""
    return _dire_le_jour(quand.date() if isinstance(quand, datetime) else quand, forme, get_language())


@lru_cache(maxsize=4096)
def _dire_le_jour(quand: date, forme: str, langue: str | None) -> str:
    """Gardé par langue, qui est l'active : une liste dit vingt fois le même jour."""
    ecrit = date_format(quand, forme)
    return PREMIER.sub("1er", ecrit, count=1) if langue == "fr" else ecrit


@register.filter(expects_localtime=True)
def moment(quand: datetime, forme: str = "j F Y") -> str:
    """Un jour et une heure : « 28 novembre 2026 à 05:36 »."""
    return gettext("{jour} à {heure}").format(jour=jour(quand, forme), heure=f"{quand:%H:%M}")


@register.filter
def associer(colonnes: Iterable[object], ligne: Iterable[object]) -> list[tuple[object, object]]:
    """Met chaque valeur d'une ligne en face de sa colonne ; lève ValueError s'il en manque une."""
    return list(zip(colonnes, ligne, strict=True))
