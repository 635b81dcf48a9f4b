"""Ce qu'aucune saisie libre ne doit contenir : un numéro de carte (DOMAINE §6)."""

import re
import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

# De quoi lire en entier tous nos champs ; une saisie plus longue, que son champ refuse, ne doit pas coûter de temps.
LUE_AU_PLUS = 1000
LONGUEURS_DE_CARTE = range(13, 20)
# Ce qui reste d'une saisie qu'on garde de côté, quand elle portait un numéro de carte : le champ la refuse encore.
EFFACE = "\u2022numéro de carte effacé\u2022"
# Les réseaux de cartes de paiement (ISO/IEC 7812) : rien d'autre ne commence ainsi, et la moitié des dates s'écarte.
PREMIERS_CHIFFRES = "23456"
# Comme on recopie une carte, groupe par groupe, quoi qu'il y ait entre les groupes.
FORMES = re.compile("4{3,4}[1-4]?|46[45]")
# Ne se voient pas, et ne séparent donc rien : ces lettres-là, et ce qu'Unicode dit de format ou à combiner.
LETTRES_INVISIBLES = "\u115f\u1160\u3164\uffa0"
INVISIBLES = ("Cf", "Mn", "Me")


def has_numero_de_carte(saisie: str) -> bool:
    """
    Vrai si la saisie contient 13 à 19 chiffres qui suivent la règle de Luhn : un numéro de carte, sans doute.

    D'un seul tenant, ou en groupes que sépare chaque fois la même chose, ou en groupes de quatre ; les chiffres
    sont de toute écriture. Une date, une heure et un téléphone à la suite n'en font pas un.
    """
    if len(saisie) < LONGUEURS_DE_CARTE.start:  # trop court pour tant de chiffres
        return False
    if EFFACE in saisie:
        return True
    suites = re.findall(r"[0-9](?:[^a]*[0-9])?", "".join(map(_lire, saisie)))
    return any(_has_carte_d_un_tenant(suite) or _has_carte_en_groupes(suite) for suite in suites)


def _lire(signe: str) -> str:
    """Le chiffre, de quelque écriture qu'il soit ; « a » pour une lettre ; rien pour ce qui ne se voit pas."""
    chiffre = unicodedata.digit(signe, None)
    if chiffre is not None:
        return str(chiffre)
    if signe in LETTRES_INVISIBLES or unicodedata.category(signe) in INVISIBLES:
        return ""
    return "a" if signe.isalpha() else signe


def _has_carte_d_un_tenant(suite: str) -> bool:
    return any(
        _est_une_carte(groupe[debut : debut + longueur])
        for groupe in re.findall(r"[0-9]{13,}", suite)
        for longueur in LONGUEURS_DE_CARTE
        for debut in range(len(groupe) - longueur + 1)
    )


def _has_carte_en_groupes(suite: str) -> bool:
    groupes, separateurs = re.findall(r"[0-9]+", suite), re.findall(r"[^0-9]+", suite)
    for debut in range(len(groupes)):
        # Dix-neuf chiffres font dix-neuf groupes au plus.
        for fin in range(debut + 2, min(debut + LONGUEURS_DE_CARTE.stop, len(groupes) + 1)):
            choisis = groupes[debut:fin]
            reguliers = len(set(separateurs[debut : fin - 1])) == 1
            formes = FORMES.fullmatch("".join(str(min(len(groupe), 9)) for groupe in choisis))
            if (reguliers or formes) and _est_une_carte("".join(choisis)):
                return True
    return False


def _est_une_carte(chiffres: str) -> bool:
    plausible = len(chiffres) in LONGUEURS_DE_CARTE and chiffres[0] in PREMIERS_CHIFFRES
    return plausible and _suit_luhn(chiffres)


def effacer_la_carte(saisie: str) -> str:
    """La saisie, sauf si elle porte un numéro de carte : il n'en reste alors que la marque, que le champ refuse."""
    return EFFACE if has_numero_de_carte(saisie) else saisie


def _suit_luhn(chiffres: str) -> bool:
    doubles = [int(chiffre) * 2 for chiffre in chiffres[-2::-2]]
    simples = [int(chiffre) for chiffre in chiffres[-1::-2]]
    return (sum(simples) + sum(double - 9 if double > 9 else double for double in doubles)) % 10 == 0


class SansCarteMixin(forms.Field):
    """
    Refuse un numéro de carte collé là par mégarde, et ne le réaffiche jamais.

    Le champ borne sa longueur à LUE_AU_PLUS : ce qui n'est pas lu en entier est refusé, et ne se réaffiche pas.
    """

    sans_carte: str | Promise = gettext_lazy(
        "N’écrivez pas de numéro de carte ici\u00a0: vous le saisirez sur la page sécurisée de PayZen"
    )

    def clean(self, value: object) -> object:
        if has_numero_de_carte(str(value or "")[:LUE_AU_PLUS]):
            raise ValidationError(str(self.sans_carte), code="carte")
        return super().clean(value)

    def bound_data(self, data: object, initial: object) -> object:
        texte = str(data or "")
        illisible = len(texte) > LUE_AU_PLUS
        return "" if illisible or has_numero_de_carte(texte) else super().bound_data(data, initial)

    def prepare_value(self, value: object) -> object:
        return "" if has_numero_de_carte(str(value or "")) else super().prepare_value(value)


class MotifField(SansCarteMixin, forms.CharField):
    """Ce qu'un agent écrit et qui reste au journal pour toujours."""

    sans_carte = "N’écrivez pas de numéro de carte : ses quatre derniers chiffres suffisent"
