"""Clore un jour : une personne nommée signe ses chiffres ; s'ils changent ensuite, la feuille le dit."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from comptes.models import Agent, Caf, Utilisateur
from paiements.feuille.calcul import LIVRES, SORTES, Feuille, calculer
from paiements.models import JourClos
from socle.euros import ecrire_euros


class ClotureImpossible(Exception):
    """Ce jour ne se clôt pas, ou pas par cette personne ; le message dit pourquoi."""


@transaction.atomic
def clore(caf: Caf, jour: date, *, motif: str, agent: Utilisateur) -> JourClos:
    """
    Signe la feuille d'un jour passé.

    :raises ClotureImpossible: si l'agent n'en a pas le droit dans cette Caf, ou si la journée n'est pas finie
    """
    fiche = Agent.objects.filter(utilisateur=agent, utilisateur__is_active=True, cafs=caf).first()
    if fiche is None or not fiche.can("clore_le_jour"):  # garde: droit_de_clore
        raise ClotureImpossible(f"{agent.identifiant} n'a pas le droit de clore un jour de la Caf {caf.pk}")
    if jour >= timezone.localdate():  # garde: jour_fini
        raise ClotureImpossible("ce jour n'est pas fini : il se clôt le lendemain")
    feuille = calculer(caf, jour)
    if not feuille.is_juste:
        raise ClotureImpossible("l'équation ne tombe pas juste : lancez verifier_invariants et alertez")
    return JourClos.objects.create(caf=caf, jour=jour, chiffres=feuille.chiffres, motif=motif, auteur=agent)


def get_cloture(caf: Caf, jour: date) -> JourClos | None:
    """La dernière signature de ce jour."""
    return JourClos.objects.filter(caf=caf, jour=jour).select_related("auteur").order_by("-pk").first()


def lister_les_changements(feuille: Feuille, cloture: JourClos | None) -> list[str]:
    """Ce qui a changé depuis la signature : « ce que la plateforme tient, débits pris : 120,00 € → 0,00 € »."""
    if cloture is None:
        return []
    avant, maintenant = cloture.chiffres, feuille.chiffres
    sommes = {quoi: (avant.get(quoi, "0.00"), maintenant.get(quoi, "0.00")) for quoi in {**maintenant, **avant}}
    return [
        f"{_nommer(quoi)} : {ecrire_euros(Decimal(hier))} → {ecrire_euros(Decimal(aujourd_hui))}"
        for quoi, (hier, aujourd_hui) in sommes.items()
        if hier != aujourd_hui
    ]


def _nommer(quoi: str) -> str:
    """« banque pris » est le chiffre d'un livre ; « retenu », ce qui en sépare deux."""
    livre, _, sorte = quoi.partition(" ")
    if livre not in LIVRES:
        return quoi
    titre = LIVRES[livre][0]
    return f"{titre[0].lower()}{titre[1:]}, {SORTES.get(sorte, sorte)}"
