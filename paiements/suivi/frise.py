"""La frise d'une demande payée : ce qui est fait, ce qui est en cours, ce qui viendra."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext, gettext_lazy

from paiements.models import EtapePaiement, Paiement
from paiements.statuts import Geste, Statut
from paiements.suivi.dates import dire_le_jour
from paiements.suivi.mots import A_EXAMINE
from paiements.suivi.progres import is_examine


class Fin(NamedTuple):
    titre: str
    etat: str
    texte: str


# Le chemin ordinaire, dans les mots de l'allocataire.
CHEMIN = {
    Geste.SOUMETTRE: gettext_lazy("Demandée"),
    Geste.ACCEPTER: gettext_lazy("Enregistrée"),
    Geste.VERIFIER: gettext_lazy("Vérifiée par la Caf"),
    Geste.IMPUTER: gettext_lazy("Dettes mises à jour"),
}
A_LA_BANQUE, REPONSE_ATTENDUE = gettext_lazy("À la banque"), gettext_lazy("Nous attendons sa réponse.")
ATTENTES = {
    Geste.VERIFIER: gettext_lazy("La Caf vérifie votre paiement. Vous n’avez rien à faire."),
    Geste.IMPUTER: gettext_lazy("La Caf met vos dettes à jour. Vous n’avez rien à faire."),
}
DEBIT_EXAMINE = gettext_lazy("Un débit annoncé par la banque est examiné par un agent.")
DEBIT_REGLE = gettext_lazy("Un débit annoncé par la banque a été examiné par un agent.")
DEBIT_RENDU = gettext_lazy("Ce que la banque avait débité vous est rendu.")
SANS_DEBIT = gettext_lazy("Aucun débit à notre connaissance.")


def raconter(paiement: Paiement, etapes: Iterable[EtapePaiement]) -> list[dict[str, object]]:
    """
    Rend les événements d'une demande, du premier au dernier, pour `composants/frise.html`.

    Accepté une deuxième fois (un impayé annulé, un remboursement défait), le paiement se vérifie de nouveau : seul le
    dernier tour se montre.

    :param etapes: le journal du paiement, dans un ordre quelconque
    """
    dates: dict[Geste, object] = {}
    derniere = None
    for etape in sorted(etapes, key=lambda etape: (etape.le, etape.pk)):
        if etape.geste == Geste.ACCEPTER:
            dates = {geste: le for geste, le in dates.items() if geste == Geste.SOUMETTRE}
        dates[Geste(etape.geste)] = derniere = etape.le
    faites: list[dict[str, object]] = [
        {"titre": titre, "etat": "fait", "le": dates[geste]} for geste, titre in CHEMIN.items() if geste in dates
    ]
    if fin := _finir(paiement):
        return [*faites, {"titre": fin.titre, "etat": fin.etat, "le": derniere, "texte": fin.texte}]
    return faites + _annoncer_la_suite(paiement, [geste for geste in CHEMIN if geste not in dates])


def _annoncer_la_suite(paiement: Paiement, a_venir: list[Geste]) -> list[dict[str, object]]:
    """Ce qui est en cours, et ce qui viendra ; tant que la banque n'a pas répondu, c'est elle qu'on attend."""
    if Geste.ACCEPTER not in a_venir:
        return [_annoncer(paiement, geste, en_cours=geste == a_venir[0]) for geste in a_venir]
    texte = _dire_l_examen(paiement) if paiement.retenu > 0 else REPONSE_ATTENDUE
    attente: dict[str, object] = {"titre": A_LA_BANQUE, "etat": "en_cours", "texte": texte}
    return [attente, *(_annoncer(paiement, geste, en_cours=False) for geste in a_venir)]


def _annoncer(paiement: Paiement, geste: Geste, *, en_cours: bool) -> dict[str, object]:
    """Ce qui n'est pas encore fait : ce qu'on en attend si c'est maintenant, et quand, d'ordinaire."""
    textes = [str(ATTENTES[geste])] if en_cours else []
    if geste == Geste.IMPUTER and (le := paiement.annonce_a_venir):
        textes.append(gettext("D’ordinaire, au plus tard le {dire_le_jour}.").format(dire_le_jour=dire_le_jour(le)))
    return {"titre": CHEMIN[geste], "etat": "en_cours" if en_cours else "a_venir", "texte": " ".join(textes) or None}


def _finir(paiement: Paiement) -> Fin | None:
    """La fin du chemin quand l'argent n'y va plus ; None tant qu'il suit son cours."""
    match Statut(paiement.statut):
        case Statut.REFUSE:
            return Fin(gettext("Refusée par la banque"), "echec", _dire_le_debit(paiement))
        case Statut.ABANDONNE | Statut.EXPIRE:
            return Fin(gettext("Non réalisée"), "echec", _dire_le_debit(paiement))
        case Statut.REJETE:
            texte = gettext("La banque a annulé ce paiement, ou en a repris l’argent.")
            return Fin(gettext("Annulée par la banque"), "echec", texte)
        case Statut.RESTITUE if paiement.retenu > 0 and is_examine(paiement):
            return Fin(gettext("Une somme a été examinée"), "fait", str(A_EXAMINE))
        case Statut.RESTITUE if paiement.retenu > 0:
            return Fin(gettext("Restitution en cours"), "en_cours", gettext("Une somme reste à vous rendre."))
        case Statut.RESTITUE:
            return Fin(gettext("Restituée"), "fait", gettext("La Caf vous a rendu l’argent."))
    return None


def _dire_le_debit(paiement: Paiement) -> str:
    if paiement.retenu > 0:
        return str(_dire_l_examen(paiement))
    return str(DEBIT_RENDU if paiement.rendu_a_part else SANS_DEBIT)


def _dire_l_examen(paiement: Paiement) -> object:
    return DEBIT_REGLE if is_examine(paiement) else DEBIT_EXAMINE
