"""Ce que dit l'étape des montants de ce qui est tapé : la façon de payer choisie, les fautes, ce qui serait payé."""

from typing import NamedTuple

from demarches.formulaires import AffecteForm, MontantForm
from demarches.models import Demarche
from demarches.montants import MontantInvalide, Parts, partager, retenir
from dettes.models import Dette
from socle.frappe import CONTINUER, Saisie

CALCULER, AJUSTER, TOUT = "calculer", "ajuster", "tout"
# Ces boutons-là demandent un total que l'on puisse payer ; les autres laissent finir de remplir.
EXIGEANTS = (CONTINUER, CALCULER, AJUSTER)
Mode = Demarche.Mode


class Page(NamedTuple):
    """
    Ce que l'étape montre de ce qui est tapé : les deux façons de payer, dont celle choisie est contrôlée.

    `parts` : ce qui serait payé si l'on continuait, dette par dette ; vide tant qu'une faute l'empêche.
    """

    mode: str
    globale: MontantForm
    affecte: AffecteForm
    parts: Parts

    @property
    def form(self) -> MontantForm | AffecteForm:
        return self.globale if self.mode == Mode.GLOBAL else self.affecte


def lire_la_page(saisie: Saisie, dettes: list[Dette], faire: str) -> Page:
    """Lit ce qui est tapé. Avec une seule dette à payer, il n'y a rien à choisir : c'est elle."""
    exigeant = faire in EXIGEANTS
    voulu = Mode.AFFECTE if is_seule(dettes) else saisie.get("mode")
    if voulu == Mode.AFFECTE:
        globale = MontantForm(dettes=dettes, initial=saisie)
        affecte = AffecteForm(saisie, dettes=dettes)
        return Page(Mode.AFFECTE, globale, affecte, _lire_les_montants(affecte, dettes, exigeant=exigeant))
    affecte = AffecteForm(dettes=dettes, initial=saisie)
    globale = MontantForm(saisie if exigeant or saisie.get("montant") else None, dettes=dettes)
    return Page(Mode.GLOBAL, globale, affecte, _lire_la_somme(globale, dettes))


def is_seule(dettes: list[Dette]) -> bool:
    return sum(dette.disponible > 0 for dette in dettes) == 1


def _lire_la_somme(form: MontantForm, dettes: list[Dette]) -> Parts:
    if not form.is_valid():
        return []
    try:
        return partager(form.cleaned_data["montant"], dettes)
    except MontantInvalide as refus:
        form.ajouter_les_erreurs(refus)
        return []


def _lire_les_montants(form: AffecteForm, dettes: list[Dette], *, exigeant: bool) -> Parts:
    form.is_valid()
    try:
        retenir(form.montants, dettes)
    except MontantInvalide as refus:
        form.ajouter_les_erreurs(refus, total=exigeant)
    montants = form.montants  # sans ceux qui viennent d'être refusés
    return [(dette, montants[dette.pk]) for dette in dettes if dette.pk in montants]
