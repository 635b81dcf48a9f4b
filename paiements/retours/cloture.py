"""
Finir un paiement que la plateforme ne peut plus nous dire, d'après ce qu'on lit à son Back Office : à deux personnes.

Il attend la banque, qui n'a rien pris : on le clôt. Elle l'a accepté, et les clés de sa boutique ne sont plus
réglées : on le tient pour vérifié.
"""

from django.db import transaction

from comptes.models import Utilisateur
from paiements.boutiques import is_reglee
from paiements.causes import Cause, par_agent
from paiements.file.attendues import is_juste
from paiements.file.livres import Livres, is_debit_a_regler, lire
from paiements.file.tenue import rapprocher
from paiements.models import DemandeCloture, Paiement
from paiements.passages import avancer, verrouiller
from paiements.statuts import Geste, Statut


class ClotureImpossible(Exception):
    """Le paiement n'attend plus la banque, ou c'est la même personne."""


def is_demandable(paiement: Paiement) -> bool:
    """Il attend la banque, aucun agent n'a de débit à y régler, et personne n'a encore demandé de le clore."""
    return _is_en_attente(paiement) and not is_debit_a_regler(paiement, lire(paiement))


def _is_en_attente(paiement: Paiement) -> bool:
    return paiement.statut == Statut.EN_ATTENTE and not _is_demandee(paiement)


def is_confirmable(paiement: Paiement) -> bool:
    """Accepté, nul ne peut plus le vérifier auprès de la plateforme, et personne n'a encore demandé de s'en passer."""
    # garde: confirmer_sans_cles_seulement
    if paiement.statut != Statut.ACCEPTE or is_reglee(paiement.boutique, paiement.mode):
        return False
    # garde: essai_ne_se_confirme_pas_a_deux
    return not paiement.is_d_un_autre_mode and paiement.confirme_le is None and not _is_demandee(paiement)


def _is_demandee(paiement: Paiement) -> bool:
    return paiement.clotures.filter(accord=None).exists()


@transaction.atomic
def demander(paiement: Paiement, *, motif: str, agent: Utilisateur) -> DemandeCloture:
    """
    Un agent a vu au Back Office que la banque n'a rien pris, alors que nous ne pouvons plus l'interroger.

    :raises ClotureImpossible: si le paiement n'attend pas la banque, si c'est déjà demandé, ou si la banque annonce un
        débit qu'un agent n'a pas réglé
    """
    paiement = verrouiller(paiement.pk)
    if not _is_en_attente(paiement):  # garde: clore_ce_qui_attend_la_banque
        raise ClotureImpossible(f"le paiement est {paiement.get_statut_display()}, ou sa clôture est déjà demandée")
    _exiger_sans_debit_a_regler(paiement)
    return DemandeCloture.objects.create(paiement=paiement, motif=motif, demandeur=agent)


@transaction.atomic
def demander_de_confirmer(paiement: Paiement, *, motif: str, agent: Utilisateur) -> DemandeCloture:
    """
    Un agent a vu au Back Office que la banque tient l'argent d'un paiement accepté, que nous ne pouvons plus vérifier.

    :raises ClotureImpossible: si la plateforme peut encore le dire, si nos livres ne disent pas que la banque en tient
        ce qui était demandé, s'il est d'une carte d'essai en production, ou si c'est déjà demandé
    """
    paiement = verrouiller(paiement.pk)
    if not is_confirmable(paiement):  # garde: confirmer_ce_qui_ne_se_verifie_plus
        raise ClotureImpossible("ce paiement n'est pas à confirmer à deux : interrogez PayZen")
    _exiger_juste(paiement)
    return DemandeCloture.objects.create(paiement=paiement, motif=motif, demandeur=agent)


def _exiger_sans_debit_a_regler(paiement: Paiement) -> None:
    if is_debit_a_regler(paiement, lire(paiement)):  # garde: clore_sans_debit_a_regler
        raise ClotureImpossible("la banque annonce un débit de ce paiement : réglez d'abord son anomalie")


def _exiger_juste(paiement: Paiement) -> Livres:
    livres = lire(paiement)
    if not is_juste(paiement, livres):  # garde: confirmer_a_deux_ce_qui_est_juste
        raise ClotureImpossible("la banque n'en tient plus ce qui était demandé : réglez d'abord son anomalie")
    return livres


@transaction.atomic
def decider(demande: DemandeCloture, *, accord: bool, agent: Utilisateur, motif: str = "") -> DemandeCloture:
    """
    Accorde ou refuse. Close, ses montants sont libres ; un accord de la banque entendu ensuite est encore accepté.

    :raises ClotureImpossible: si elle est déjà décidée, si c'est la même personne, si la banque a répondu depuis, ou
        si elle peut répondre de nouveau, ou si elle annonce un débit qu'un agent n'a pas réglé
    """
    paiement = verrouiller(demande.paiement_id)
    demande.refresh_from_db()
    if demande.accord is not None:  # garde: decider_une_cloture_une_fois
        raise ClotureImpossible("la demande est déjà décidée")
    if demande.demandeur_id == agent.pk:  # garde: clore_a_deux
        raise ClotureImpossible("celui qui approuve n'est pas celui qui demande")
    if accord and paiement.etapes.filter(le__gt=demande.demandee_le).exists():  # garde: la_banque_a_repondu_depuis
        raise ClotureImpossible(f"depuis la demande, le paiement est {paiement.get_statut_display()}")
    demande.noter_la_decision(accord=accord, agent=agent, motif=motif)
    if accord and demande.is_confirmation:
        _confirmer(paiement, par_agent(agent, f"confirmé d'après le Back Office : {demande.motif}"))
    elif accord:
        _exiger_sans_debit_a_regler(paiement)
        paiement.prochain_controle_le = None
        avancer(Geste.EXPIRER, paiement, par_agent(agent, f"clos sans débit : {demande.motif}"))
    return demande


def _confirmer(paiement: Paiement, cause: Cause) -> None:
    if is_reglee(paiement.boutique, paiement.mode):  # garde: cles_revenues_on_demande
        raise ClotureImpossible("les clés de sa boutique sont revenues : interrogez PayZen")
    livres = _exiger_juste(paiement)
    avancer(Geste.VERIFIER, paiement, cause)
    rapprocher(livres, cause)
