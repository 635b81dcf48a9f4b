"""Ce que la banque accepte après qu'on a dit que rien n'était payé : cela compte, et cela s'explique."""

from django.utils.translation import gettext

from paiements.causes import ALLOCATAIRE
from paiements.models import EtapePaiement, Paiement
from paiements.statuts import Geste, Statut
from paiements.suivi.dates import dire_l_instant
from socle.euros import ecrire_euros

FINIS_SANS_DEBIT = (Statut.ABANDONNE, Statut.EXPIRE)
TENUS = (Statut.ACCEPTE, Statut.VERIFIE, Statut.IMPUTE)


def has_renonce(paiement: Paiement) -> bool:
    """La personne a dit ne pas avoir payé. Une requête, si les étapes ne sont pas chargées."""
    return any(etape.geste == Geste.ABANDONNER and etape.auteur == ALLOCATAIRE for etape in paiement.etapes.all())


def dire_le_retard(paiement: Paiement) -> list[str]:
    """Pour un paiement que la banque tient : pourquoi il compte après tout, et l'autre, s'il y en a deux."""
    if paiement.statut not in TENUS:
        return []
    phrases = []
    if accord := _trouver_l_accord_tardif(paiement):
        avant = (
            gettext("Vous nous aviez dit ne pas avoir payé")
            if has_renonce(paiement)
            else gettext("Nous vous avions dit que cette demande n’était pas réalisée")
        )
        phrases.append(
            gettext(
                "{avant}\u00a0: votre banque a pourtant accepté ce paiement, et nous l’avons appris le {le}. Il"
                " compte comme les autres."
            ).format(avant=avant, le=dire_l_instant(accord.le))
        )
    return phrases + _dire_l_autre(paiement)


def _trouver_l_accord_tardif(paiement: Paiement) -> EtapePaiement | None:
    accords = (etape for etape in paiement.etapes.all() if etape.geste == Geste.ACCEPTER)
    return next((accord for accord in accords if accord.de in FINIS_SANS_DEBIT), None)


def _dire_l_autre(paiement: Paiement) -> list[str]:
    """
    La demande recommencée et celle qui la recommence, payées toutes les deux ou près de l'être.

    Une saisie n'est pas dite : elle ne regarde que son auteur (docs/adr/0032), à qui son récapitulatif dit tout.
    """
    demarche = paiement.demarche
    autres = [getattr(autre, "paiement", None) for autre in (demarche.suite, demarche.recommence)]
    return [_dire(autre) for autre in autres if autre is not None and autre.statut in (*TENUS, Statut.EN_ATTENTE)]


def _dire(autre: Paiement) -> str:
    if autre.statut == Statut.EN_ATTENTE:
        return gettext(
            "La demande {reference}, sur les mêmes dettes, est encore à la banque. Si vous ne l’avez pas"
            " payée, dites-le sur sa page\u00a0: ce serait un paiement de plus."
        ).format(reference=autre.reference)
    return gettext(
        "Un autre paiement, de {montant}, est accepté sur les mêmes dettes\u00a0: c’est la demande"
        " {reference}. Si vous n’en vouliez qu’un, appelez votre Caf au 3230\u00a0: un agent peut vous rendre"
        " l’autre."
    ).format(montant=ecrire_euros(autre.montant), reference=autre.reference)
