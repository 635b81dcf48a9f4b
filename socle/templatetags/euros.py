"""Les filtres d'affichage : montants, jours et périodes, tableaux."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django import template
from django.utils.formats import date_format

from socle.euros import ecrire_euros, ecrire_saisie

register = template.Library()

PREMIER = re.compile(r"\b1(?= [a-zéû]+)")


euros = register.filter("euros", ecrire_euros)
saisie = register.filter("saisie", ecrire_saisie)


@register.filter
def oppose(montant: Decimal) -> Decimal:
    """Le montant contraire : une reprise se montre en positif."""
    return -montant


@register.filter
def euros_court(montant: Decimal | int) -> str:
    """Comme `euros`, sans les centimes quand il n'y en a pas : « 340 € »."""
    return ecrire_euros(montant).replace(",00", "")


@register.filter
def periode(debut: date | None, fin: date | None) -> str:
    """
    Dit en clair les mois d'une période : « avril à juin 2025 », « décembre 2024 à mars 2025 », « mai 2025 ».

    Rend une chaîne vide si le début manque.
    """
    if debut is None:
        return ""
    if fin is None or (debut.year, debut.month) == (fin.year, fin.month):
        return date_format(debut, "F Y")
    premier = date_format(debut, "F" if debut.year == fin.year else "F Y")
    return f"{premier} à {date_format(fin, 'F Y')}"


@register.filter(expects_localtime=True)
def jour(quand: date, forme: str = "j F Y") -> str:
    """Écrit un jour en toutes lettres, le premier du mois comme on le dit : « 1er mars 2026 »."""
    return PREMIER.sub("1er", date_format(quand, forme), count=1)


@register.filter
def associer(colonnes: Iterable[object], ligne: Iterable[object]) -> list[tuple[object, object]]:
    """Met chaque valeur d'une ligne en face de sa colonne ; lève ValueError s'il en manque une."""
    return list(zip(colonnes, ligne, strict=True))
