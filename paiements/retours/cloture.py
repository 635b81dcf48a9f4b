"""Clore sans débit un paiement que la plateforme ne peut plus nous dire : il y faut deux personnes."""

from django.db import transaction

from comptes.models import Utilisateur
from paiements.causes import par_agent
from paiements.models import DemandeCloture, Paiement
from paiements.passages import avancer, verrouiller
from paiements.statuts import Geste, Statut


class ClotureImpossible(Exception):
    """Le paiement n'attend plus la banque, ou c'est la même personne."""


def is_demandable(paiement: Paiement) -> bool:
    """Il attend la banque, et personne n'a encore demandé de le clore."""
    return paiement.statut == Statut.EN_ATTENTE and not paiement.clotures.filter(accord=None).exists()


@transaction.atomic
def demander(paiement: Paiement, *, motif: str, agent: Utilisateur) -> DemandeCloture:
    """
    Un agent a vu au Back Office que la banque n'a rien pris, alors que nous ne pouvons plus l'interroger.

    :raises ClotureImpossible: si le paiement n'attend pas la banque, ou si c'est déjà demandé
    """
    paiement = verrouiller(paiement.pk)
    if not is_demandable(paiement):  # garde: clore_ce_qui_attend_la_banque
        raise ClotureImpossible(f"le paiement est {paiement.get_statut_display()}, ou sa clôture est déjà demandée")
    return DemandeCloture.objects.create(paiement=paiement, motif=motif, demandeur=agent)


@transaction.atomic
def decider(demande: DemandeCloture, *, accord: bool, agent: Utilisateur, motif: str = "") -> DemandeCloture:
    """
    Accorde ou refuse. Accordée, les montants sont libres ; un accord de la banque entendu ensuite est encore accepté.

    :raises ClotureImpossible: si elle est déjà décidée, si c'est la même personne, ou si la banque a répondu depuis
    """
    paiement = verrouiller(demande.paiement_id)
    demande.refresh_from_db()
    if demande.accord is not None:  # garde: decider_une_cloture_une_fois
        raise ClotureImpossible("la demande est déjà décidée")
    if demande.demandeur_id == agent.pk:  # garde: clore_a_deux
        raise ClotureImpossible("celui qui approuve n'est pas celui qui demande")
    if accord and paiement.statut != Statut.EN_ATTENTE:  # garde: la_banque_a_repondu_depuis
        raise ClotureImpossible(f"le paiement est {paiement.get_statut_display()}")
    demande.noter_la_decision(accord=accord, agent=agent, motif=motif)
    if accord:
        paiement.prochain_controle_le = None
        avancer(Geste.EXPIRER, paiement, par_agent(agent, f"clos sans débit : {demande.motif}"))
    return demande
