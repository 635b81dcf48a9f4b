"""Une ligne de journal : ce qu'elle dit, dans la forme des autres faits, et la transaction dont elle parle."""

from paiements.models import LigneJournal, Paiement, TransactionPayzen
from paiements.payzen import Fait, Mode
from paiements.verification.suspens import EnSuspens, du_jour
from socle.references import is_reference

REMIS, RAPPROCHE = "CAPTURED", "MATCH_OK"


def to_fait(ligne: LigneJournal) -> Fait:
    """
    Ce que dit une ligne d'un JT ou d'un JRB, dans la forme des autres faits.

    :raises EnSuspens: si sa transaction n'est pas connue, ou si elle ne dit pas ce que nous croyons lire
    """
    _exiger_lisible(ligne)
    connue = trouver(ligne)
    if connue is None:
        exiger_revenu(ligne.boutique, ligne.reference)
    is_remise = ligne.genre == "JRB"
    if connue is None and (is_remise or not ligne.uuid or not ligne.reference):
        raise EnSuspens("aucune transaction connue n'a ce numéro, ce jour-là")
    reference, uuid = (connue.reference, connue.uuid) if connue else (ligne.reference, ligne.uuid)
    return Fait(
        reference=reference,
        statut=REMIS if is_remise else ligne.statut,
        montant=ligne.montant,
        devise=ligne.devise,
        site=ligne.boutique,
        mode=Mode(ligne.mode),
        operation=ligne.operation,
        uuid=uuid,
        trans_id=ligne.trans_id,
        source=ligne.genre,
        creee_le=None if is_remise else ligne.instant,
        remise_le=ligne.remise_le,
    )


def _exiger_lisible(ligne: LigneJournal) -> None:
    if ligne.genre == "JRB" and ligne.statut != RAPPROCHE:  # garde: remise_rapprochee
        motif = f"la banque n'a pas rapproché cette opération : {ligne.statut or 'sans état'}"
        raise EnSuspens(motif, transaction=trouver(ligne), is_a_decider=True)
    exiger_une_operation_connue(ligne)


def exiger_une_operation_connue(ligne: LigneJournal, connue: TransactionPayzen | None = None) -> None:
    """:raises EnSuspens: si elle n'est ni un débit, ni un crédit : un agent la lit."""
    if ligne.operation not in (TransactionPayzen.DEBIT, TransactionPayzen.CREDIT):  # garde: operation_connue
        raise EnSuspens(f"opération « {ligne.operation} » inconnue", transaction=connue, is_a_decider=True)


def confirmer(ligne: LigneJournal) -> TransactionPayzen:
    """
    Un JO ne dit pas d'état : connue au même montant, l'opération n'apprend rien.

    :raises EnSuspens: sinon ; on redemande
    """
    connue = trouver(ligne)
    # garde: operation_du_meme_montant
    if connue is not None and connue.montant <= ligne.montant <= connue.montant_haut:
        return connue
    if connue is None:
        raise EnSuspens("aucune transaction connue n'a ce numéro, ce jour-là")
    motif = "sa transaction est d'un autre montant"  # garde: autre_montant_se_redit
    raise EnSuspens(motif, transaction=connue, is_a_decider=True)


def exiger_revenu(boutique: str, reference: str) -> None:
    """
    Après une restauration, le passé se rejoue dans son ordre : un paiement revient, s'impute, puis se défait.

    :raises EnSuspens: si c'est une référence de nous, dont le paiement n'est pas encore revenu
    """
    connus = Paiement.objects.filter(reference=reference, boutique=boutique)
    if is_reference(reference) and not connus.exists():  # garde: le_paiement_revient_d_abord
        raise EnSuspens("son paiement n'est pas encore revenu")


def trouver(ligne: LigneJournal, operation: str | None = None) -> TransactionPayzen | None:
    """La transaction d'une ligne : son uuid si le journal le dit, sinon son numéro et son jour UTC (PROTOCOLE §8)."""
    candidates = TransactionPayzen.objects.filter(boutique=ligne.boutique, mode=ligne.mode)
    if operation or ligne.operation in ("DEBIT", "CREDIT"):
        candidates = candidates.filter(operation=operation or ligne.operation)
    if ligne.uuid:
        return candidates.filter(uuid=ligne.uuid).first()
    candidates = candidates.filter(trans_id__iexact=ligne.trans_id)
    if ligne.reference:
        candidates = candidates.filter(reference=ligne.reference)
    elif ligne.jour:
        candidates = candidates.filter(du_jour(ligne, ("trans_date", "creee_le", "paiement__cree_le")))
    trouvees = list(candidates[:2])
    return trouvees[0] if len(trouvees) == 1 else None


def finir(ligne: LigneJournal, uuid: str) -> None:
    """Elle est portée à cette transaction."""
    ligne.etat, ligne.transaction_id, ligne.pourquoi = LigneJournal.Etat.PORTEE, uuid, ""
    ligne.is_a_decider = False
    ligne.save(update_fields=["etat", "transaction", "pourquoi", "is_a_decider"])
