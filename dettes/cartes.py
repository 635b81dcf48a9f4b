"""Une dette, prête à montrer en carte : chaque valeur déjà écrite, pour un gabarit qui n'a plus qu'à la poser."""

from collections.abc import Iterable
from functools import cache
from typing import TypedDict

from django.urls import reverse
from django.utils.text import capfirst

from dettes.models import Dette
from socle.euros import ecrire_euros
from socle.templatetags.euros import euros_court, periode

Phase, Situation = Dette.Phase, Dette.Situation


class Carte(TypedDict):
    """Ce que lit `composants/carte_dette.html` : du texte, ou vide quand il n'y a rien à dire."""

    reference: str
    adresse: str
    payer: str
    prestation: str
    ou_en_est: str
    classe: str
    precision: str
    periode: str
    is_payable: bool
    solde: str
    rembourse: str
    initial: str
    part: str
    entier: str
    engage: str
    is_transmise: bool


def dresser(dettes: Iterable[Dette], *, payer: str) -> list[Carte]:
    """
    Les cartes de ces dettes, dans leur ordre.

    :param dettes: `engage` et `disponible` calculés
    :param payer: l'adresse où l'on paie ; vide, rien ne se paie maintenant
    """
    modele = reverse("dettes:detail", args=["0"])
    return [_dresser(dette, modele.replace("/0/", f"/{dette.reference}/"), payer) for dette in dettes]


def _dresser(dette: Dette, adresse: str, payer: str) -> Carte:
    ou_en_est, classe, precision = _dire_ou_elle_en_est(dette.phase, dette.situation, is_payable=dette.is_payable)
    rembourse = dette.rembourse if dette.is_payable else 0
    return {
        "reference": dette.reference,
        "adresse": adresse,
        "payer": f"{payer}?dette={dette.reference}" if payer and dette.is_payable and dette.disponible > 0 else "",
        "prestation": dette.prestation,
        "ou_en_est": ou_en_est,
        "classe": classe,
        "precision": precision,
        "periode": periode(dette.periode_debut, dette.periode_fin),
        "is_payable": dette.is_payable,
        "solde": ecrire_euros(dette.solde),
        "rembourse": euros_court(rembourse) if rembourse else "",
        "initial": euros_court(dette.montant_initial),
        "part": str(rembourse),
        "entier": str(dette.montant_initial),
        "engage": ecrire_euros(dette.engage) if dette.is_payable and dette.engage else "",
        "is_transmise": dette.situation == Situation.TRANSMISE,
    }


@cache
def _dire_ou_elle_en_est(phase: str, situation: str, *, is_payable: bool) -> tuple[str, str, str]:
    """Sa phase si elle se paie ici, sa classe, et sa situation si elle compte."""
    if not is_payable:
        return capfirst(Situation(situation).label), "phase--soldee" if situation == Situation.SOLDEE else "", ""
    classe = "phase--contentieux" if phase == Phase.CONTENTIEUX else ""
    precision = "" if situation == Situation.EN_COURS else Situation(situation).label
    return capfirst(Phase(phase).label), classe, precision
