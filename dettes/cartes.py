"""Une dette, prête à montrer en carte : chaque valeur déjà écrite, pour un gabarit qui n'a plus qu'à la poser."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple, TypedDict

from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext

from dettes.models import Dette
from socle import adresses
from socle.euros import ecrire_euros, ecrire_euros_court
from socle.templatetags.euros import periode

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
    part: str
    entier: str
    engage: str
    transmise: str
    payer_quoi: str


class Mots(NamedTuple):
    """Les mots d'une carte, dans la langue de qui lit : cherchés une fois pour toute la liste."""

    payer_quoi: str
    rembourse: str
    engage: str
    transmise: str


def _lire_les_mots() -> Mots:
    return Mots(
        payer_quoi=gettext("cette dette\u00a0: {prestation}, référence {reference}"),
        rembourse=gettext("<strong>{rembourse}</strong> remboursés sur {initial}"),
        engage=gettext("{engage} réservés pour une demande en cours"),
        transmise=gettext(
            "Il reste {solde}. C’est maintenant le département qui vous demande cette somme. Suivez les indications du"
            " courrier de la paierie départementale."
        ),
    )


def dresser(dettes: Iterable[Dette], *, payer: str) -> list[Carte]:
    """
    Les cartes de ces dettes, dans leur ordre.

    :param dettes: `engage` et `disponible` calculés
    :param payer: l'adresse où l'on paie ; vide, rien ne se paie maintenant
    """
    adresser = adresses.chercher("dettes:detail")
    mots, langue = _lire_les_mots(), str(get_language())
    return [_dresser(dette, adresser(dette.reference), payer, mots, langue) for dette in dettes]


def _dresser(dette: Dette, adresse: str, payer: str, mots: Mots, langue: str) -> Carte:
    ou_en_est, classe, precision = dire_ou_elle_en_est(
        dette.phase, dette.situation, langue, is_payable=dette.is_payable
    )
    rembourse, solde = dette.rembourse if dette.is_payable else 0, ecrire_euros(dette.solde)
    prestation = dette.prestation
    return {
        "reference": dette.reference,
        "adresse": adresse,
        "payer": f"{payer}?dette={dette.reference}" if payer and dette.is_payable and dette.disponible > 0 else "",
        "prestation": prestation,
        "ou_en_est": ou_en_est,
        "classe": classe,
        "precision": precision,
        "periode": periode(dette.periode_debut, dette.periode_fin),
        "is_payable": dette.is_payable,
        "solde": solde,
        "rembourse": format_html(
            mots.rembourse,
            rembourse=ecrire_euros_court(rembourse),
            initial=ecrire_euros_court(dette.montant_initial),
        )
        if rembourse
        else "",
        "part": str(rembourse),
        "entier": str(dette.montant_initial),
        "engage": mots.engage.format(engage=ecrire_euros(dette.engage)) if dette.is_payable and dette.engage else "",
        "transmise": mots.transmise.format(solde=solde) if dette.situation == Situation.TRANSMISE else "",
        "payer_quoi": mots.payer_quoi.format(prestation=prestation, reference=dette.reference),
    }


@cache
def dire_ou_elle_en_est(phase: str, situation: str, langue: str, *, is_payable: bool) -> tuple[str, str, str]:
    """Sa phase si elle se paie ici, sa classe, et sa situation si elle compte. La langue, active, est de la clé."""
    if not is_payable:
        return capfirst(str(Situation(situation).label)), "phase--soldee" if situation == Situation.SOLDEE else "", ""
    classe = "phase--contentieux" if phase == Phase.CONTENTIEUX else ""
    precision = "" if situation == Situation.EN_COURS else str(Situation(situation).label)
    return capfirst(str(Phase(phase).label)), classe, precision
