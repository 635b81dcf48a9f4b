"""De quoi un paiement a besoin : une fonction de l'état de ses livres, et de rien d'autre (docs/adr/0048)."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings

from paiements.file.livres import ZERO, Livres, get_tenu
from paiements.models import Anomalie, DemandeRestitution, Paiement, TransactionPayzen
from paiements.payzen import Famille
from paiements.statuts import RESTITUABLES, Statut

Genre = Anomalie.Genre
# Une validation manuelle ne viendrait de personne : c'est un réglage de la boutique à revoir (PROTOCOLE §3.4).
A_VALIDER = "AUTHORISED_TO_VALIDATE"
AVANT_L_IMPUTATION = (Statut.ACCEPTE, Statut.VERIFIE)


class Attendue(NamedTuple):
    """
    Une chose à faire.

    :param cle: ce dont elle parle
    :param situation: l'état des comptes dont elle parle ; s'il change, une anomalie mise de côté se rouvre
    """

    genre: Anomalie.Genre
    cle: str
    situation: str
    transaction: TransactionPayzen | None = None
    restitution: DemandeRestitution | None = None


def get_attendues(livres: Livres, maintenant: datetime) -> list[Attendue]:
    """Tout ce qu'un agent doit faire d'un paiement, ou d'une référence inconnue, d'après ses livres."""
    if livres.paiement is None:
        return [attendue for transaction in livres.transactions for attendue in _d_un_inconnu(transaction)]
    attendues = list(_du_paiement(livres, livres.paiement, maintenant))
    for transaction in livres.transactions:
        attendues += _d_une_transaction(livres, livres.paiement, transaction)
    echouees = (demande for demande in livres.restitutions if demande.etat == DemandeRestitution.Etat.ECHOUEE)
    return attendues + [_refusee(demande) for demande in echouees]


def _d_une_transaction(livres: Livres, paiement: Paiement, transaction: TransactionPayzen) -> Iterator[Attendue]:
    if transaction.absente_le and transaction.is_vivante:  # garde: transaction_disparue
        is_a_verifier = transaction.uuid == paiement.debit_id and paiement.statut == Statut.ACCEPTE
        genre = Genre.DESACCORD if is_a_verifier else Genre.ECART
        yield Attendue(genre, f"{transaction.uuid}:absente", "la plateforme ne la montre pas", transaction)
    if transaction.is_debit:
        yield from _d_un_debit(livres, paiement, transaction)
    elif transaction.is_credit:
        yield from _d_un_credit(transaction)
    elif transaction.is_douteuse:
        yield _douteuse(transaction)


def _d_un_inconnu(transaction: TransactionPayzen) -> Iterator[Attendue]:
    """Un crédit attribué pèse sur son débit ; un débit dont il ne reste rien n'est plus à chercher."""
    tenu = get_tenu(transaction) if transaction.is_debit else ZERO
    orphelin = transaction.is_credit and transaction.is_vivante and transaction.parent_id is None
    if tenu or orphelin or transaction.is_douteuse or (transaction.is_vivante and not transaction.is_en_euros):
        situation = f"{transaction.statut} {tenu or transaction.montant} {transaction.devise}"
        yield Attendue(Genre.REFERENCE_INCONNUE, transaction.uuid, situation, transaction)


def _d_un_debit(livres: Livres, paiement: Paiement, debit: TransactionPayzen) -> Iterator[Attendue]:
    if debit.is_douteuse or debit.famille is Famille.ECHEC or debit.statut == A_VALIDER:
        yield _douteuse(debit)
        return
    if debit.compte.is_impaye:
        reste = "" if debit.compte.impaye >= debit.pris else f" de {debit.compte.impaye}"
        yield Attendue(Genre.IMPAYE, debit.uuid, f"impayé{reste}", debit)
    if debit.is_vivante and not is_certain(paiement, debit):
        situation = f"{debit.montant} {debit.devise}, effectif {debit.effectif} {debit.devise_effective}"
        if debit.montant_haut > debit.montant:
            situation = f"{debit.montant_haut} puis {situation}"
        yield Attendue(Genre.MONTANT_DIFFERENT, debit.uuid, situation, debit)
        return
    if debit.uuid == paiement.debit_id:
        yield from _du_sien(livres, paiement, debit)
    elif tenu := get_tenu(debit):
        yield Attendue(_nommer_l_autre(paiement, debit), debit.uuid, str(tenu), debit)


def is_certain(paiement: Paiement, debit: TransactionPayzen) -> bool:
    """
    Tout ce que la banque a dit du montant s'accorde : en euros, effectif compris, et jamais plus que demandé.

    Une baisse se voit à ce que la banque tient ; une hausse, nulle part. Un agent peut admettre le plus petit.
    """
    is_monte = debit.uuid == paiement.debit_id and debit.montant_haut > paiement.montant  # garde: montant_qui_monte
    is_effectif = debit.effectif is None or 0 < debit.effectif <= debit.montant  # garde: montant_effectif
    is_accorde = is_effectif and not is_monte
    return debit.is_en_euros and (is_accorde or debit.montant == paiement.montant_admis)  # garde: devise_effective


def is_juste(paiement: Paiement, livres: Livres) -> bool:
    """La banque tient du débit du paiement, en euros, ce qui était demandé, ou ce qu'un agent a admis."""
    sien = livres.sien
    # garde: credit_sans_debit_bloque, montants_qui_se_contredisent
    if sien is None or livres.is_en_l_air or sien.is_douteuse or not is_certain(paiement, sien):
        return False
    return get_tenu(sien) in paiement.montants_attendus  # garde: tenu_attendu


def _nommer_l_autre(paiement: Paiement, debit: TransactionPayzen) -> Anomalie.Genre:
    """Ce que la banque tient et qui n'est pas le débit du paiement : à restituer, mais pourquoi ?"""
    if get_tenu(debit) < 0:
        return Genre.ECART
    if (debit.boutique, debit.mode) != (paiement.boutique, paiement.mode):
        return Genre.STATUT_INATTENDU
    if paiement.is_encaisse:
        return Genre.DOUBLE_PAIEMENT
    return Genre.MONTANT_DIFFERENT if is_notre_formulaire(paiement, debit) else Genre.STATUT_INATTENDU


def _du_sien(livres: Livres, paiement: Paiement, debit: TransactionPayzen) -> Iterator[Attendue]:
    if debit.famille is Famille.ANNULATION and paiement.statut == Statut.REJETE:
        yield Attendue(Genre.ANNULATION_BANQUE, debit.uuid, debit.statut, debit)
    # Imputé, ce qui manque aux dettes ou les dépasse ; sinon, ce que la banque tient.
    somme = get_tenu(debit) - (livres.impute if paiement.statut == Statut.IMPUTE else ZERO)
    if genre := _nommer_la_difference(paiement, debit, somme):
        yield Attendue(genre, debit.uuid, str(somme), debit)


def _nommer_la_difference(paiement: Paiement, debit: TransactionPayzen, somme: Decimal) -> Anomalie.Genre | None:
    """Ce qui sépare, à cette étape, le débit du paiement de ce qu'on en attend ; None si rien."""
    if paiement.statut == Statut.IMPUTE:
        return Genre.RELIQUAT if somme > 0 else _nommer_la_part(debit) if somme else None
    if paiement.statut in AVANT_L_IMPUTATION:
        return _nommer_la_part(debit) if somme > 0 and somme not in paiement.montants_attendus else None
    is_a_part = somme > 0 or (somme and not debit.compte.is_impaye)
    return Genre.ECART if is_a_part else None  # garde: tenu_d_un_paiement_reparti


def _nommer_la_part(debit: TransactionPayzen) -> Anomalie.Genre:
    """Ce qui manque au débit est revenu au porteur, ou n'a jamais été pris."""
    is_revenu = debit.compte.credite or debit.compte.is_impaye
    return Genre.ANNULATION_BANQUE if is_revenu else Genre.MONTANT_DIFFERENT


def _d_un_credit(credit: TransactionPayzen) -> Iterator[Attendue]:
    """Attribué, il pèse sur son débit, et c'est tout ; une notification ne nomme jamais ce débit (PROTOCOLE §5)."""
    if credit.is_douteuse:
        yield _douteuse(credit)
    elif credit.is_en_l_air or (credit.is_vivante and not credit.is_en_euros):  # garde: credit_d_une_autre_devise
        somme = str(credit.montant) if credit.is_en_euros else f"{credit.montant} {credit.devise}"
        yield Attendue(Genre.ANNULATION_BANQUE, credit.uuid, somme, credit)


def _douteuse(transaction: TransactionPayzen) -> Attendue:
    return Attendue(Genre.STATUT_INATTENDU, transaction.uuid, transaction.statut, transaction)


def _refusee(demande: DemandeRestitution) -> Attendue:
    return Attendue(Genre.RESTITUTION_REFUSEE, str(demande.pk), demande.cause, demande.debit, demande)


def _du_paiement(livres: Livres, paiement: Paiement, maintenant: datetime) -> Iterator[Attendue]:
    sien = livres.sien
    if paiement.solde_lu is not None and paiement.solde_lu != livres.solde:  # garde: la_banque_et_nous
        yield Attendue(Genre.ECART, paiement.reference, f"lu {paiement.solde_lu}, su {livres.solde}")
    is_attendue = paiement.statut in RESTITUABLES and sien is not None and not sien.is_remise
    if is_attendue and maintenant >= paiement.cree_le + settings.PAIEMENT_CONTROLES[-1]:  # garde: remise_absente
        yield Attendue(Genre.REMISE_ABSENTE, paiement.reference, "", sien)


def is_notre_formulaire(paiement: Paiement, debit: TransactionPayzen) -> bool:
    """
    Le débit est né de notre formulaire : même boutique, même `trans_id`, même date (PROTOCOLE §11.4).

    Un débit dupliqué au Back Office, ou un crédit dont le genre serait maquillé (les noms ne sont pas signés, §2.4),
    en a d'autres. REST peut taire l'un ou l'autre ; une notification, jamais le premier.
    """
    if (debit.boutique, debit.mode) != (paiement.boutique, paiement.mode):  # garde: boutique_du_formulaire
        return False
    if debit.trans_id is not None and debit.trans_id.lower() != paiement.trans_id:  # garde: numero_du_formulaire
        return False
    return debit.trans_date in (None, paiement.cree_le.replace(microsecond=0))  # garde: date_du_formulaire
