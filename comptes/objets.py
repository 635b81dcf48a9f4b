"""Ce dont parle une ligne du journal de sécurité : « paiement n° 5 », « dettes (situation : en recours) »."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Model
from django.utils import timezone
from django.utils.formats import date_format, localize

from comptes.models import Evenement
from socle.euros import ecrire_euros

COMPARAISONS = {"gte": "à partir de", "gt": "au-dessus de", "lte": "jusqu'à", "lt": "avant"}


def dire_l_objet(evenement: Evenement) -> str:
    """Ce qui a été lu ou emporté, par le nom de sa table ; ce que disent les autres lignes, tel quel."""
    table, _, suite = evenement.objet.partition(" ")
    if table.count(".") != 1:
        return evenement.objet
    modele = apps.get_model(table)
    if evenement.genre == Evenement.Genre.CONSULTATION:
        return f"{modele._meta.verbose_name} n° {suite}"
    filtres = dire_les_filtres(modele, suite)
    return f"{modele._meta.verbose_name_plural} ({filtres})" if filtres else str(modele._meta.verbose_name_plural)


def dire_les_filtres(modele: type[Model], filtres: str) -> str:
    """« situation__exact=RECOURS » se lit « situation : en recours » ; vide s'il n'y en a pas."""
    return ", ".join(_dire_un_filtre(modele, filtre) for filtre in filtres.split("&") if filtre)


def _dire_un_filtre(modele: type[Model], filtre: str) -> str:
    nom, _, valeur = filtre.partition("=")
    champ, _, suite = nom.partition("__")
    comparaison = suite.rpartition("__")[2]
    try:
        vrai: Any = modele._meta.get_field(champ)
        libelle = str(vrai.verbose_name)
    except (FieldDoesNotExist, AttributeError):  # une somme que la liste calcule, une table qui mène à celle-ci
        return f"{champ.replace('_', ' ')} : {valeur}" if valeur else champ
    if comparaison in ("isnull", "isempty"):
        return f"{'sans' if valeur in ('True', '1') else 'avec'} « {libelle} »"
    return f"{libelle} {COMPARAISONS.get(comparaison, ':')} {_dire_la_valeur(vrai, valeur)}"


def _dire_la_valeur(champ: "Field[Any, Any]", valeur: str) -> str:
    """La valeur en clair, ou telle quelle : l'adresse a pu être tapée, et le journal la garde coupée."""
    try:
        lue = champ.to_python(valeur)
        if isinstance(lue, datetime):
            instant = lue if timezone.is_aware(lue) else timezone.make_aware(lue)
            return date_format(timezone.localtime(instant), "d/m/Y H:i")
    except (ValidationError, ValueError, OverflowError):
        return valeur
    if champ.flatchoices:
        return str(dict(champ.flatchoices).get(lue, valeur))
    return ecrire_euros(lue) if isinstance(lue, Decimal) else str(localize(lue))
