"""Le journal des impayés, ligne à ligne : ce que la banque reprend d'un débit, ou rend (PROTOCOLE §5 et §8)."""

from decimal import Decimal

from django.db.models import Q, QuerySet

from paiements.causes import par_payzen
from paiements.file.suspens import dans_l_ordre, get_anomalies, lister_ce_qui_se_retente
from paiements.models import Impaye, LigneJournal, TransactionPayzen
from paiements.retours.impaye import ImpayeImpossible, MontantImpossible, porter_du_journal
from paiements.verification.lignes import exiger_revenu, exiger_une_operation_connue, finir, trouver
from paiements.verification.suspens import EnSuspens, attendre


def porter_un_impaye(ligne: LigneJournal) -> TransactionPayzen:
    """
    Porte une ligne du JRI à son débit, et le rend.

    :raises EnSuspens: si ce débit n'est pas connu, ou ne peut être repris, ou rendu, comme elle le dit
    """
    debit = trouver(ligne, TransactionPayzen.DEBIT)
    if debit is None:
        raise EnSuspens("aucun débit connu n'a ce numéro, ce jour-là")
    exiger_revenu(debit.boutique, debit.reference)
    return _porter_a(debit, ligne)


def _porter_a(debit: TransactionPayzen, ligne: LigneJournal) -> TransactionPayzen:
    exiger_une_operation_connue(ligne, debit)  # garde: operation_connue_d_un_impaye
    prises = _get_prises_voisines(ligne, debit)
    is_depassee = _is_depassee(ligne, debit)
    if debit.compte.is_impaye or is_depassee:  # garde: second_lu_en_retard
        _exiger_qu_elle_ne_soit_pas_un_second(ligne, debit, prises)
    if is_depassee:  # garde: la_derniere_ligne_vaut
        if prises and get_anomalies([ligne]):  # garde: second_qu_un_agent_regarde, rendu_entre_deux_prises
            raise EnSuspens(ligne.pourquoi, transaction=debit, is_a_decider=True)
        return debit
    sens = Impaye.Sens.PRIS if ligne.operation == TransactionPayzen.DEBIT else Impaye.Sens.RENDU
    jour = f" du {ligne.impaye_le:%d/%m/%Y}" if ligne.impaye_le else ""
    motif = f", motif {ligne.motif}" if ligne.motif else ""
    try:
        # garde: impayes_du_journal
        porter_du_journal(debit, sens, ligne.montant, par_payzen(f"journal des impayés{jour}{motif}"))
    except MontantImpossible as refus:
        raise EnSuspens(f"{refus} : un agent décide", transaction=debit, is_a_decider=True) from refus
    except ImpayeImpossible as refus:
        # Une restitution finit, la banque finit par tenir un débit : elle se portera.
        raise EnSuspens(str(refus), transaction=debit) from refus  # garde: refus_qui_passera
    return debit


def _exiger_qu_elle_ne_soit_pas_un_second(
    ligne: LigneJournal, debit: TransactionPayzen, prises: list[Decimal]
) -> None:
    """
    Une autre ligne a déjà repris de ce débit, sans que rien l'ait rendu entre elles, et il en reste autant à prendre.

    Aucun numéro ne distingue deux impayés (PROTOCOLE §8) : deux lignes d'un même jour ou de deux sont peut-être deux
    parts, peut-être la même redite. D'un débit entier, il ne reste rien : elle ne peut qu'être redite. Ce qui est
    rendu au porteur n'y change rien : la banque peut prendre deux fois.

    :raises EnSuspens: si c'en est peut-être un : un agent décide
    """
    # garde: second_meme_apres_un_remboursement
    if any(debit.pris - prise >= ligne.montant for prise in prises):  # garde: second_impaye_d_une_part
        motif = "un impayé de ce débit est déjà enregistré, et la banque en tient encore autant : un agent décide"
        raise EnSuspens(motif, transaction=debit, is_a_decider=True)


def _get_prises_voisines(ligne: LigneJournal, debit: TransactionPayzen) -> list[Decimal]:
    """D'une prise, les montants de celles, portées, qu'elle suit ou précède sans fin entre elles."""
    if ligne.operation != TransactionPayzen.DEBIT:
        return []
    lignes = list(_lister_celles_du_debit(ligne, debit).values_list("pk", "operation", "montant"))
    rang = [pk for pk, _, _ in lignes].index(ligne.pk)
    voisines = [*lignes[max(rang - 1, 0) : rang], *lignes[rang + 1 : rang + 2]]
    return [montant for _, operation, montant in voisines if operation == TransactionPayzen.DEBIT]


def _is_depassee(ligne: LigneJournal, debit: TransactionPayzen) -> bool:
    """Une ligne plus récente a déjà dit si ce débit est pris ou rendu : celle-ci, en retard, n'en change rien."""
    return _lister_celles_du_debit(ligne, debit).last() != ligne


def _lister_celles_du_debit(ligne: LigneJournal, debit: TransactionPayzen) -> QuerySet[LigneJournal]:
    deja = Q(genre="JRI", transaction=debit, etat=LigneJournal.Etat.PORTEE)
    return dans_l_ordre(LigneJournal.objects.filter(Q(pk=ligne.pk) | deja))


def porter_sans_paiement(boutique: str, reference: str) -> None:
    """Ce paiement ne reviendra jamais : les impayés qui l'attendaient vont à ses débits, comme à ceux d'un autre."""
    suspens = lister_ce_qui_se_retente().filter(genre="JRI", boutique=boutique)
    for ligne in dans_l_ordre(suspens).select_for_update(of=("self",)):
        debit = trouver(ligne, TransactionPayzen.DEBIT)
        if debit is None or debit.reference != reference:
            continue
        try:
            finir(ligne, _porter_a(debit, ligne).uuid)
        except EnSuspens as attente:
            attendre(ligne, attente)
