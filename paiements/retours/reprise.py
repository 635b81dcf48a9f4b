"""
Ce qu'un agent tranche du débit d'un paiement : de quelles dettes reprendre, quel montant admettre, quel état croire.

La banque dit combien, jamais de quelle dette (ARGENT §3). Montants en euros.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from dettes.models import Dette
from paiements.causes import Cause, par_agent
from paiements.file.attendues import is_notre_formulaire
from paiements.file.tenue import DejaResolue
from paiements.imputation.imputer import placer
from paiements.imputation.reprendre import reprendre_des_dettes
from paiements.models import Anomalie, DemandeRestitution, Paiement, TransactionPayzen
from paiements.passages import faire_interroger, verrouiller
from paiements.reception.suivre import suivre
from paiements.retours.seuil import is_au_seuil
from paiements.statuts import Statut
from socle.euros import ecrire_euros

ZERO = Decimal(0)
CENTIME = Decimal("0.01")


class RepriseImpossible(Exception):
    """Cette anomalie, ce montant ou ces dettes ne permettent pas ce geste."""


def get_part(anomalie: Anomalie) -> Decimal:
    """Ce que la banque a repris d'un paiement imputé, et qui est encore sur ses dettes ; zéro si rien."""
    paiement = anomalie.paiement
    if paiement is None or not anomalie.is_a_trancher or anomalie.transaction_id != paiement.debit_id:
        return ZERO
    if paiement.debit is None or paiement.debit.is_douteuse:  # garde: douteux_ne_se_reprend_pas
        return ZERO
    return max(-paiement.a_placer, ZERO)


def proposer(paiement: Paiement) -> dict[Dette, Decimal]:
    """Où reprendre, dette par dette : la plus récente d'abord, la plus ancienne reste remboursée."""
    imputees = paiement.imputations.par_dette()
    reste = max(-paiement.a_placer, ZERO)
    parts = {}
    for dette in Dette.objects.filter(pk__in=imputees).order_by("-notifiee_le", "-solde", "-pk"):
        parts[dette] = min(reste, imputees[dette.pk])
        reste -= parts[dette]
    return parts


@transaction.atomic
def reprendre(anomalie: Anomalie, parts: Mapping[int, Decimal], *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Reprend des dettes ce que la banque ne tient plus ; l'anomalie qui le disait se ferme avec les comptes.

    :param parts: ce qu'on reprend à chaque dette, par sa clé
    :raises RepriseImpossible: si rien n'est à reprendre, si une restitution est en cours, ou si les parts ne vont pas
    """
    paiement = _verrouiller(anomalie)
    a_reprendre = get_part(anomalie)
    if not a_reprendre:
        raise RepriseImpossible("il n'y a rien à reprendre, ou c'est déjà fait")
    choisies = {cle: part for cle, part in parts.items() if part}
    imputees = paiement.imputations.par_dette()
    # garde: pas_plus_que_l_impute
    if any(part < 0 or part > imputees.get(cle, ZERO) for cle, part in choisies.items()):
        raise RepriseImpossible("une dette ne peut rendre plus que ce que ce paiement y a imputé")
    if sum(choisies.values(), ZERO) != a_reprendre:  # garde: toute_la_part
        raise RepriseImpossible(f"les montants doivent faire {ecrire_euros(a_reprendre)}")
    cause = par_agent(agent, motif)
    reprendre_des_dettes(paiement, choisies, cause)
    suivre(paiement, cause)
    return paiement


@transaction.atomic
def placer_le_reste(
    anomalie: Anomalie, parts: Mapping[Dette, Decimal], *, accord: str, agent: Utilisateur
) -> Paiement:
    """
    Impute un reste à d'autres dettes, avec l'accord de l'allocataire, consigné.

    :param accord: comment l'allocataire a dit oui, et quand
    :raises RepriseImpossible: si ce paiement n'a pas de reste, si une restitution en est en cours, ou si un
        remboursement dont on ne sait pas le débit a pu le reprendre
    :raises ResteImpossible: si les parts ne font pas le reste, ou si une dette ne peut recevoir la sienne
    """
    paiement = _verrouiller(anomalie)
    if paiement.a_placer <= 0:
        raise RepriseImpossible("ce paiement n'a pas de reste à placer")
    if paiement.solde.is_en_l_air:  # garde: reste_sans_remboursement_en_l_air
        raise RepriseImpossible("PayZen n'a pas encore dit quel débit un remboursement rend : interrogez-le d'abord")
    placer(paiement, parts, par_agent(agent, accord))
    return paiement


def is_a_admettre(anomalie: Anomalie) -> bool:
    """La banque tient d'un débit né de notre formulaire moins que demandé, ou que dit d'abord ; rien n'est imputé."""
    paiement, debit = anomalie.paiement, anomalie.transaction
    if paiement is None or debit is None or not anomalie.is_a_trancher:
        return False
    if paiement.statut == Statut.IMPUTE:  # garde: admettre_avant_d_imputer
        return False
    return _is_le_sien_en_euros(paiement, debit) and 0 < debit.compte.tenu <= _get_plus_haut(paiement, debit)


def _is_le_sien_en_euros(paiement: Paiement, debit: TransactionPayzen) -> bool:
    is_le_sien = paiement.debit_id in (None, debit.uuid) and is_notre_formulaire(paiement, debit)
    return debit.is_debit and debit.is_en_euros and is_le_sien


def _get_plus_haut(paiement: Paiement, debit: TransactionPayzen) -> Decimal:
    """Ce qui était demandé, si la banque a d'abord dit plus ; sinon moins : égal, il n'y a rien à admettre."""
    is_redescendu = debit.montant_haut > paiement.montant and debit.effectif in (None, debit.montant)
    return paiement.montant if is_redescendu else paiement.montant - CENTIME


@transaction.atomic
def admettre(anomalie: Anomalie, *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Prend pour bon le montant, plus petit, que la banque tient d'un paiement pas encore imputé.

    :raises RepriseImpossible: si elle ne le tient plus, ou s'il n'est pas plus petit que demandé
    """
    paiement = _verrouiller(anomalie)
    if not is_a_admettre(anomalie):  # garde: admettre_moins_que_demande
        raise RepriseImpossible("la banque ne tient pas, pour ce débit, un montant plus petit que demandé")
    tenu = cast("TransactionPayzen", anomalie.transaction).compte.tenu
    admettre_le_montant(paiement, tenu, par_agent(agent, motif))
    return paiement


def admettre_le_montant(paiement: Paiement, montant: Decimal, cause: Cause) -> None:
    """Prend ce montant, en euros, pour bon d'un paiement tenu sous verrou, pas encore imputé."""
    paiement.montant_admis = montant
    if paiement.statut == Statut.VERIFIE:
        paiement.imputer_le = timezone.now()  # il n'attendait que cela
    faire_interroger(paiement)
    paiement.save(update_fields=["montant_admis", "imputer_le"])
    suivre(paiement, cause)


@transaction.atomic
def trancher(
    anomalie: Anomalie, verdict: TransactionPayzen.Verdict, *, motif: str, agent: Utilisateur
) -> TransactionPayzen:
    """
    Un agent dit, d'après le Back Office, ce que la banque tient d'une transaction dont elle dit deux choses.

    :raises DejaResolue: si elle n'est plus douteuse, ou déjà tranchée
    :raises RepriseImpossible: si ce mot sort des comptes assez d'argent pour demander deux personnes
    """
    if is_verdict_a_deux(anomalie, verdict):  # garde: trancher_a_deux
        raise RepriseImpossible("cette somme demande deux personnes : un comptable doit l'approuver, demandez-le")
    return trancher_a_deux(anomalie, verdict, par_agent(agent, motif))


def is_douteuse(anomalie: Anomalie) -> bool:
    """La banque dit deux choses de la transaction de cette anomalie, née d'un paiement à nous : à trancher."""
    vue = anomalie.transaction
    return anomalie.paiement_id is not None and anomalie.is_a_trancher and vue is not None and vue.is_douteuse


def is_verdict_a_deux(anomalie: Anomalie, verdict: TransactionPayzen.Verdict) -> bool:
    """
    Ce mot sort des comptes une somme au seuil de la Caf, comme une mise de côté (docs/adr/0053).

    D'un débit, dire que la banque ne le tient pas ; d'un remboursement, dire qu'il est parti.
    """
    vue = anomalie.transaction
    if vue is None:
        return False
    sortant = TransactionPayzen.Verdict.TENUE if vue.is_credit else TransactionPayzen.Verdict.DEFAITE
    return verdict == sortant and is_au_seuil(anomalie.caf, vue.montant if vue.is_en_euros else None)


@transaction.atomic
def trancher_a_deux(anomalie: Anomalie, verdict: TransactionPayzen.Verdict, cause: Cause) -> TransactionPayzen:
    """
    Écrit ce qui est tranché, une fois décidé par qui il faut (`mise_de_cote.decider`).

    :raises DejaResolue: si elle n'est plus douteuse, ou déjà tranchée
    """
    # Une restitution en route attend souvent ce mot : le crédit dont elle ne sait pas s'il est parti.
    paiement = _verrouiller(anomalie, pendant_une_restitution=True)
    siennes = TransactionPayzen.objects.select_for_update(of=("self",), no_key=True)
    douteuse = siennes.filter(pk=anomalie.transaction_id).first()
    if douteuse is None or not douteuse.is_douteuse:  # garde: trancher_ce_qui_est_douteux
        raise DejaResolue("cette transaction n'est pas douteuse, ou est déjà tranchée")
    douteuse.verdict = verdict
    douteuse.save(update_fields=["verdict"])
    suivre(paiement, cause)
    return douteuse


def is_a_revoir(anomalie: Anomalie) -> bool:
    """Quelqu'un a tranché de cette transaction, et le Back Office peut l'avoir démenti."""
    vue = anomalie.transaction
    is_tranchee = vue is not None and vue.verdict != ""
    return anomalie.genre == Anomalie.Genre.STATUT_INATTENDU and anomalie.paiement_id is not None and is_tranchee


@transaction.atomic
def revoir(anomalie: Anomalie, *, motif: str, agent: Utilisateur) -> TransactionPayzen:
    """
    Retire ce qui a été tranché à tort : la transaction est de nouveau douteuse, et son anomalie à traiter.

    :raises DejaResolue: si rien n'est tranché, ou ne l'est plus
    """
    paiement = verrouiller(cast("int", anomalie.paiement_id))
    siennes = TransactionPayzen.objects.select_for_update(of=("self",), no_key=True)
    tranchee = siennes.filter(pk=anomalie.transaction_id, paiement=paiement).exclude(verdict="").first()
    if tranchee is None:  # garde: revoir_ce_qui_est_tranche
        raise DejaResolue("rien n'est tranché de cette transaction")
    tranchee.verdict = ""
    tranchee.save(update_fields=["verdict"])
    suivre(paiement, par_agent(agent, motif))
    return tranchee


def is_a_rattacher(anomalie: Anomalie) -> bool:
    """Un remboursement parti dont la plateforme tait le débit : rien ne se vérifie ni ne s'impute avant de savoir."""
    credit = anomalie.transaction
    if anomalie.paiement is None or credit is None or not anomalie.is_a_trancher:
        return False
    return credit.is_credit and credit.is_vivante and credit.parent_id is None


@transaction.atomic
def rattacher(anomalie: Anomalie, debit: TransactionPayzen, *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Un agent dit, d'après le Back Office, quel débit de ce paiement un remboursement a rendu. Cela ne change plus.

    :raises DejaResolue: si la plateforme, ou un autre agent, l'a dit entre-temps
    :raises RepriseImpossible: si ce n'est pas un débit de ce paiement
    """
    paiement = _verrouiller(anomalie, pendant_une_restitution=True)
    if not is_a_rattacher(anomalie):  # garde: rattacher_une_fois
        raise DejaResolue("on sait déjà quel débit ce remboursement rend")
    if not debit.is_debit or debit.paiement_id != paiement.pk:  # garde: rattacher_a_un_debit_du_paiement
        raise RepriseImpossible("ce n'est pas un débit de ce paiement")
    credit = cast("TransactionPayzen", anomalie.transaction)
    credit.parent = debit
    credit.save(update_fields=["parent"])
    suivre(paiement, par_agent(agent, motif))
    return paiement


def _verrouiller(anomalie: Anomalie, *, pendant_une_restitution: bool = False) -> Paiement:
    """Le paiement sous verrou, et l'anomalie relue ; elle doit être encore à trancher."""
    if anomalie.paiement_id is None:
        raise RepriseImpossible("cette anomalie ne parle d'aucun paiement né de ce service")
    paiement = verrouiller(anomalie.paiement_id)
    anomalie.refresh_from_db()  # garde: anomalie_relue_sous_verrou
    anomalie.paiement = paiement
    if not anomalie.is_a_trancher:  # garde: anomalie_encore_a_trancher
        raise DejaResolue(f"elle est déjà {anomalie.get_etat_display()}")
    en_cours = paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS)
    if not pendant_une_restitution and en_cours.exists():  # garde: rien_pendant_une_restitution
        raise RepriseImpossible("une restitution de ce paiement est en cours : attendez sa fin")
    return paiement
