"""
Les droits sur une dette, et leurs délais datés.

D'où viennent les délais (DOMAINE §4) :
- vingt jours pour faire corriger une information, douze mois au plus pour un échéancier : CSS R133-9-2 ;
- deux mois pour contester ou demander une remise : caf.fr, « Je dois rembourser », et, pour le RSA, CASF L262-47 ;
- un recours ou une demande de remise suspend le recouvrement forcé : CASF L262-46 et textes voisins ;
- le silence de la commission vaut refus après deux mois (revue des droits, uplex.fr) ;
- quinze jours pour s'opposer à une contrainte : CSS R133-3 ;
- pas de remise en cas de fraude ou de fausse déclaration : CSS L553-2, CASF L262-46 ;
- l'argent déjà pris est rendu à qui obtient raison : CE, 16 décembre 2016, n° 389642.
Les phrases sont dans le gabarit `dettes/_droits.html`, une par situation.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from dettes.models import Dette

CORRIGER = timedelta(days=20)
CONTESTER = 2  # mois


@dataclass(frozen=True)
class Delai:
    """Le dernier jour d'un droit, et s'il est derrière nous."""

    jusqu_au: date
    is_passe: bool


@dataclass(frozen=True)
class Droits:
    """
    Les délais d'une dette, comptés du jour du courrier : nous ne savons pas quand il a été reçu.

    `contester` vaut aussi pour la remise. `au_departement` : le recours s'écrit au président du conseil départemental.
    """

    corriger: Delai
    contester: Delai
    au_departement: bool


def dater(dette: Dette, aujourd_hui: date) -> Droits:
    """Les droits d'une dette, tels qu'ils sont ce jour-là."""

    def delai(jusqu_au: date) -> Delai:
        return Delai(jusqu_au, is_passe=jusqu_au < aujourd_hui)

    return Droits(
        corriger=delai(dette.notifiee_le + CORRIGER),
        contester=delai(ajouter_des_mois(dette.notifiee_le, CONTESTER)),
        au_departement=dette.nature == Dette.Nature.RSA or dette.situation == Dette.Situation.TRANSMISE,
    )


def ajouter_des_mois(jour: date, mois: int) -> date:
    """Le même quantième, tant de mois plus tard ; s'il manque, le dernier jour du mois."""
    annees, rang = divmod(jour.month - 1 + mois, 12)
    annee = jour.year + annees
    return date(annee, rang + 1, min(jour.day, monthrange(annee, rang + 1)[1]))
