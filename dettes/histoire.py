"""Raconter une dette à qui la doit : la frise, le tableau et la courbe de ses mouvements (PARCOURS §2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from dettes.models import Dette, Mouvement

Genre = Mouvement.Genre

TITRES = {
    Genre.CONSTAT: gettext_lazy("Dette constatée"),
    Genre.RETENUE: gettext_lazy("Retenue sur vos prestations"),
    Genre.REMISE: gettext_lazy("Remise de dette"),
    Genre.IMPUTATION: gettext_lazy("Paiement en ligne"),
    Genre.REJET: gettext_lazy("Paiement repris"),
    Genre.AJUSTEMENT: gettext_lazy("Mise à jour par la Caf"),
}
DEJA_REPRISE = "la Caf ne réclame plus cette part, déjà reprise par elle"
# Plus rien ne l'écrit : il reste des mouvements d'avant, qui se lisent.
PAS_ATTENDUE = "la Caf n'attendait pas cette part, restituée"
DEJA_REMBOURSE = "déjà remboursé quand ce service a reçu la dette"
# Tous les motifs d'une mise à jour, ceux qu'écrit l'import (dettes/importation/application.py) compris, dans les mots
# de qui lit.
MOTIFS = {
    "la Caf annonce un autre solde": gettext_lazy("La Caf annonce un autre solde."),
    "la Caf ne compte plus cette dette": gettext_lazy("La Caf ne compte plus cette dette."),
    DEJA_REMBOURSE: gettext_lazy("Déjà remboursé quand ce service a reçu la dette."),
    DEJA_REPRISE: gettext_lazy("La Caf ne réclame plus cette part, déjà reprise par elle."),
    PAS_ATTENDUE: gettext_lazy("La Caf n’attendait pas cette part\u00a0: elle vous est rendue."),
}
COLONNES = [
    (gettext_lazy("Date"), "date"),
    (gettext_lazy("Événement"), "texte"),
    (gettext_lazy("Montant"), "montant"),
    (gettext_lazy("Solde après"), "montant"),
]
LARGEUR, HAUTEUR, MARGE = 640, 200, 4
# Ce qui précède aujourd'hui : le reste, à droite, laisse voir une baisse du jour même.
PASSE = 616


@dataclass(frozen=True)
class Courbe:
    """Le tracé en marches d'un solde, dans un cadre de `largeur` sur `hauteur`, et ses repères."""

    trait: str
    aire: str
    bout: int  # la hauteur du dernier point, celui d'aujourd'hui
    haut: Decimal
    debut: date
    fin: date
    largeur: int = LARGEUR
    hauteur: int = HAUTEUR


def raconter(dette: Dette, mouvements: Sequence[Mouvement]) -> list[dict[str, object]]:
    """La frise d'une dette, du constat à ce qui est en route (`dette.engage`, en euros)."""
    evenements: list[dict[str, object]] = [
        {
            "titre": TITRES[Genre(mouvement.genre)],
            "etat": "echec" if mouvement.genre == Genre.REJET else "fait",
            "le": get_jour(dette, mouvement),
            "montant": mouvement.montant,
            "texte": _expliquer(dette, mouvement),
        }
        for mouvement in mouvements
    ]
    engage = getattr(dette, "engage", None)
    if engage:
        texte = gettext("La Caf vérifie votre paiement, puis met votre dette à jour.")
        evenements.append(
            {"titre": gettext("Paiement en cours"), "etat": "en_cours", "montant": -engage, "texte": texte}
        )
    return evenements


def tabuler(dette: Dette, mouvements: Sequence[Mouvement]) -> list[list[object]]:
    """Les mêmes mouvements en lignes de tableau, colonnes de COLONNES."""
    return [[get_jour(dette, m), TITRES[Genre(m.genre)], m.montant, m.solde_apres] for m in mouvements]


def tracer(dette: Dette, mouvements: Sequence[Mouvement], fin: date) -> Courbe | None:
    """La courbe du solde jusqu'au jour `fin` ; rien tant que le solde n'a pas bougé."""
    if len(mouvements) < 2:
        return None
    debut = get_jour(dette, mouvements[0])
    haut = max(mouvement.solde_apres for mouvement in mouvements)
    duree = max((fin - debut).days, 1)
    trait, x, y = "", 0, MARGE
    for mouvement in mouvements:
        # Un constat noté après un autre mouvement ne fait pas reculer la courbe.
        x = max(x, min(PASSE, PASSE * (get_jour(dette, mouvement) - debut).days // duree))
        y = MARGE + round((HAUTEUR - 2 * MARGE) * (1 - mouvement.solde_apres / haut))
        trait += f"H{x}V{y}" if trait else f"M{x} {y}"
    trait += f"H{LARGEUR}"
    bas = HAUTEUR - MARGE
    return Courbe(trait=trait, aire=f"{trait}V{bas}H0Z", bout=y, haut=haut, debut=debut, fin=fin)


def get_jour(dette: Dette, mouvement: Mouvement) -> date:
    """Le jour d'un mouvement à l'heure de Paris ; pour le constat, celui du courrier, et non de notre lecture."""
    return dette.notifiee_le if mouvement.genre == Genre.CONSTAT else timezone.localtime(mouvement.le).date()


def _expliquer(dette: Dette, mouvement: Mouvement) -> str:
    """Une phrase de plus quand le titre ne suffit pas. Le motif d'un rejet est écrit pour les agents."""
    if mouvement.genre == Genre.REJET:
        return gettext("Cette part du paiement ne compte plus sur cette dette.")
    if mouvement.genre == Genre.IMPUTATION:
        return gettext("Référence {origine}.").format(origine=mouvement.origine)
    is_annulee = dette.situation == Dette.Situation.ANNULEE and mouvement.solde_apres == 0
    if mouvement.motif == DEJA_REMBOURSE and is_annulee:
        return gettext("Annulée par la Caf avant que ce service la reçoive.")
    return str(MOTIFS.get(mouvement.motif, ""))
