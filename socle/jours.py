"""Les jours que l'on demande, et les jours ouvrés : du lundi au vendredi, sauf fêtes (code du travail, L3133-1)."""

from datetime import date, timedelta

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

FIXES = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
SAMEDI = 5
# Au-delà, la veille, le lendemain ou minuit à Paris n'existeraient pas toujours.
PREMIER, DERNIER = date(2000, 1, 1), date(2099, 12, 31)


class JourField(forms.DateField):
    """Un jour que l'on demande à voir, dans ce siècle."""

    def __init__(self, **options: object) -> None:
        super().__init__(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            validators=[MinValueValidator(PREMIER), MaxValueValidator(DERNIER)],
            **options,  # type: ignore[arg-type]  # ceux de DateField
        )


def lire_un_jour(ecrit: str) -> date | None:
    """Le jour d'une adresse (AAAA-MM-JJ) ; None s'il n'existe pas, ou n'est pas de ce siècle."""
    try:
        jour = date.fromisoformat(ecrit)
    except ValueError:
        return None
    return jour if PREMIER <= jour <= DERNIER else None


def ajouter_des_jours_ouvres(depuis: date, combien: int) -> date:
    """Le jour qui est ce nombre de jours ouvrés après un jour ; zéro : le même, ou le premier ouvré qui le suit."""
    jour = depuis
    while not is_ouvre(jour):
        jour += timedelta(days=1)
    for _ in range(combien):
        jour += timedelta(days=1)
        while not is_ouvre(jour):
            jour += timedelta(days=1)
    return jour


def is_ouvre(jour: date) -> bool:
    paques = get_paques(jour.year)
    mobiles = {
        paques + timedelta(days=ecart) for ecart in (1, 39, 50)
    }  # lundi de Pâques, Ascension, lundi de Pentecôte
    return jour.weekday() < SAMEDI and (jour.month, jour.day) not in FIXES and jour not in mobiles


def get_paques(annee: int) -> date:
    """Le dimanche de Pâques du calendrier grégorien (méthode de Meeus, Jones et Butcher)."""
    siecle, rang = divmod(annee, 100)
    lune = (19 * (annee % 19) + siecle - siecle // 4 - (siecle - (siecle + 8) // 25 + 1) // 3 + 15) % 30
    semaine = (32 + 2 * (siecle % 4) + 2 * (rang // 4) - lune - rang % 4) % 7
    mois, jour = divmod(lune + semaine - 7 * ((annee % 19 + 11 * lune + 22 * semaine) // 451) + 114, 31)
    return date(annee, mois, jour + 1)
