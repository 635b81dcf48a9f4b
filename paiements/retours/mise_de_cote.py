"""Mettre de côté ce qu'un agent a réglé autrement ; au-dessus du seuil de la Caf, il y faut deux personnes."""

from django.db import transaction

from comptes.models import Utilisateur
from paiements.causes import par_agent
from paiements.file import tenue
from paiements.models import Anomalie, DemandeMiseDeCote, TransactionPayzen
from paiements.passages import verrouiller
from paiements.retours.reprise import is_douteuse, is_verdict_a_deux, trancher_a_deux
from paiements.retours.seuil import get_en_jeu, is_a_deux

Verdict = TransactionPayzen.Verdict


class MiseDeCoteImpossible(Exception):
    """Elle demande deux personnes, ou une seule, est déjà décidée, ou ne parle plus du même état des comptes."""


def is_demandee(anomalie: Anomalie) -> bool:
    """Un agent l'a demandée, un comptable ne l'a pas encore décidée."""
    return anomalie.demandes.filter(accord=None).exists()


def is_a_demander(anomalie: Anomalie, verdict: Verdict | str = "") -> bool:
    """La laisser de côté, ou dire ce mot de sa transaction douteuse, sort des comptes une somme au seuil de la Caf."""
    if verdict:
        return is_douteuse(anomalie) and is_verdict_a_deux(anomalie, Verdict(verdict))
    return anomalie.genre in Anomalie.D_ARGENT and is_a_deux(anomalie)


@transaction.atomic
def mettre_de_cote(anomalie: Anomalie, *, motif: str, agent: Utilisateur) -> Anomalie:
    """
    Seul, en dessous du seuil.

    :raises MiseDeCoteImpossible: si l'argent en jeu demande deux personnes, ou si elle n'est pas d'argent
    :raises DejaResolue: si un autre agent, ou les faits, l'ont réglée avant
    """
    anomalie = _verrouiller(anomalie)
    if anomalie.genre not in Anomalie.D_ARGENT:  # garde: un_evenement_se_clot
        raise MiseDeCoteImpossible("elle raconte un événement : elle se clôt")
    if is_a_deux(anomalie):  # garde: mettre_de_cote_a_deux
        raise MiseDeCoteImpossible("cette somme demande deux personnes : un comptable doit l'approuver, demandez-la")
    return tenue.mettre_de_cote(anomalie, motif=motif, agent=agent)


@transaction.atomic
def demander(anomalie: Anomalie, *, motif: str, agent: Utilisateur, verdict: Verdict | str = "") -> DemandeMiseDeCote:
    """
    Demande à un comptable de laisser cet argent de côté, ou de tenir pour vrai qu'il n'est pas à la banque.

    :param verdict: ce qu'on dit d'une transaction douteuse ; vide, une mise de côté
    :raises MiseDeCoteImpossible: si elle n'est plus à traiter, si c'est déjà demandé, ou si une personne suffit
    """
    anomalie = _verrouiller(anomalie)
    if not anomalie.is_ouverte or is_demandee(anomalie):  # garde: demander_une_mise_de_cote_une_fois
        raise MiseDeCoteImpossible(f"elle est {anomalie.get_etat_display()}, ou la demande est déjà faite")
    if not is_a_demander(anomalie, verdict):  # garde: demander_ce_qui_se_fait_a_deux
        raise MiseDeCoteImpossible("une personne suffit, ou il n'y a rien à trancher")
    return DemandeMiseDeCote.objects.create(
        anomalie=anomalie,
        situation=anomalie.situation,
        montant=get_en_jeu(anomalie),
        motif=motif,
        demandeur=agent,
        verdict=verdict,
    )


@transaction.atomic
def decider(demande: DemandeMiseDeCote, *, accord: bool, agent: Utilisateur, motif: str) -> DemandeMiseDeCote:
    """
    Accorde ou refuse ; accordée, l'anomalie est mise de côté, ou tranchée, aux mots de qui l'a demandé.

    :raises MiseDeCoteImpossible: si elle est déjà décidée, si c'est la même personne, ou si les comptes ont changé
    :raises DejaResolue: si l'anomalie n'est plus à traiter, ou si la transaction n'est plus douteuse
    """
    if demande.verdict and demande.anomalie.paiement_id:
        verrouiller(demande.anomalie.paiement_id)  # avant l'anomalie, comme partout
    anomalie = _verrouiller(demande.anomalie)
    demande = DemandeMiseDeCote.objects.select_for_update(of=("self",), no_key=True).get(pk=demande.pk)
    if demande.accord is not None:  # garde: decider_une_mise_de_cote_une_fois
        raise MiseDeCoteImpossible("la demande est déjà décidée")
    if demande.demandeur_id == agent.pk:  # garde: mise_de_cote_par_un_autre
        raise MiseDeCoteImpossible("celui qui approuve n'est pas celui qui demande")
    # garde: mise_de_cote_du_meme_etat
    if accord and (anomalie.situation, get_en_jeu(anomalie)) != (demande.situation, demande.montant):
        raise MiseDeCoteImpossible("les comptes ont changé depuis la demande : refusez-la, et relisez l'anomalie")
    demande.noter_la_decision(accord=accord, agent=agent, motif=motif)
    if accord:
        _executer(anomalie, demande, f"{demande.motif} ; approuvé par {agent} : {motif}")
    return demande


def _executer(anomalie: Anomalie, demande: DemandeMiseDeCote, motif: str) -> None:
    if demande.verdict:
        trancher_a_deux(anomalie, Verdict(demande.verdict), par_agent(demande.demandeur, motif))
    else:
        tenue.mettre_de_cote(anomalie, motif=motif, agent=demande.demandeur)


def _verrouiller(anomalie: Anomalie) -> Anomalie:
    return Anomalie.objects.select_for_update(of=("self",), no_key=True).select_related("caf").get(pk=anomalie.pk)
