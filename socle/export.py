"""Une liste du bureau en CSV : ses filtres, ses colonnes, au fil de la lecture, et rien qu'un tableur exécuterait."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import strip_tags

from socle.tableur import neutralize

# Un tableur de France attend le point-virgule, et reconnaît l'UTF-8 à cette marque.
MARQUE, SEPARATEUR = "\ufeff", ";"
EUROS = re.compile("([-−]?)([0-9\u00a0]+,[0-9]{2})\u00a0€")
# Un tableur en ferait un nombre : il perdrait ses zéros, ou s'écrirait 1,2E+17.
A_GARDER = re.compile(r"0[0-9]+|[0-9]{12,}")


class _Ligne:
    """Ce qu'attend le module `csv` : un endroit où écrire, qui rend ce qu'on y écrit."""

    def write(self, texte: str) -> str:
        return texte


def exporter(liste: ChangeList, request: HttpRequest, nom: str) -> StreamingHttpResponse:
    """La liste filtrée, ligne à ligne : la mémoire ne dépend pas de sa longueur."""
    fiche: Any = liste.model_admin
    colonnes = [str(nom) for nom in fiche.get_list_display(request) if nom != "action_checkbox"]
    titres = [str(label_for_field(colonne, liste.model, fiche)) for colonne in colonnes]
    lignes = ([_lire(objet, c, fiche) for c in colonnes] for objet in fiche.parcourir(liste, request))
    reponse = StreamingHttpResponse(_ecrire(titres, lignes), content_type="text/csv; charset=utf-8")
    reponse["Content-Disposition"] = f'attachment; filename="{nom}-{timezone.localdate():%Y-%m-%d}.csv"'
    return reponse


def _ecrire(titres: list[str], lignes: Iterable[list[str]]) -> Iterator[str]:
    auteur = csv.writer(_Ligne(), delimiter=SEPARATEUR)
    yield MARQUE + auteur.writerow(titres)
    for ligne in lignes:
        yield auteur.writerow(ligne)


def _lire(objet: Any, colonne: str, fiche: Any) -> str:
    champ, _, valeur = lookup_field(colonne, objet, fiche)
    if champ is not None and champ.choices:
        valeur = display_for_field(valeur, champ, "")
    return ecrire_cellule(valeur)


def ecrire_cellule(valeur: Any) -> str:
    """Une valeur, telle qu'un tableur français la lit : date, « 1234,56 », zéros gardés, formule neutralisée."""
    if isinstance(valeur, datetime):
        return f"{timezone.localtime(valeur):%d/%m/%Y %H:%M:%S}"
    if isinstance(valeur, date):
        return f"{valeur:%d/%m/%Y}"
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    texte = "" if valeur is None or valeur == "-" else strip_tags(str(valeur)).replace("&#x27;", "'")
    if montant := EUROS.fullmatch(texte):
        return f"{'-' if montant[1] else ''}{montant[2].replace(chr(0xA0), '')}"
    return f"'{texte}" if A_GARDER.fullmatch(texte) else neutralize(texte)
