"""Chercher une personne par son nom : sans accent, sans majuscule, le nom ou le prénom d'abord, en préfixe."""

import re
from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Func, Q, QuerySet, TextField

from comptes.models import Allocataire

# Au-delà, ce n'est plus un nom que l'on tape.
MOTS_AU_PLUS = 6


class CleDuNom(Func):
    """La clé d'un nom et d'un prénom : une fonction de la base, et l'index qui la tient (migration comptes 0010)."""

    function = "comptes_cle_du_nom"
    output_field = TextField()


def chercher_par_nom(allocataires: QuerySet[Allocataire], saisie: str) -> QuerySet[Allocataire]:
    """
    Ceux dont le nom commence par un de ces mots, et qui portent les autres : « dupont ma », « Marie Dupont 1985 ».

    Un nombre est l'année de naissance. Aucun s'il n'y a pas de mot de deux lettres.
    """
    dits = _normaliser(saisie).split()[:MOTS_AU_PLUS]
    annees = [int(mot) for mot in dits if re.fullmatch(r"(19|20)[0-9]{2}", mot)]
    mots = [mot for mot in dits if not mot.isdigit()]
    # Le nom se dit parfois après le prénom : chaque mot peut être le premier de la clé, et l'index y mène.
    premiers = [Q(nom_cherche__startswith=mot) for mot in mots if len(mot) >= 2]
    if not premiers:
        return allocataires.none()
    lus = allocataires.alias(nom_cherche=CleDuNom("nom", "prenom")).filter(reduce(or_, premiers))
    for mot in mots:
        lus = lus.filter(nom_cherche__regex=f"(^| ){re.escape(mot)}")
    return lus.filter(date_naissance__year=annees[0]) if annees else lus


def _normaliser(saisie: str) -> str:
    """La même fonction que l'index : une seule façon d'ôter un accent."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT comptes_cle_du_nom(%s, '')", [saisie[:100]])
        (cle,) = curseur.fetchone()
    return str(cle)
