"""
L'impayé : la banque reprend un débit que son porteur conteste.

Aucune notification ne l'annonce, et la plateforme ne le montre pas : le journal des impayés le dit, chaque matin à la
machine, ou à un comptable (PROTOCOLE §5 et §8). Il est du débit entier, ou de ce que des remboursements en ont laissé.
Montants en euros.
"""

from decimal import Decimal
from typing import cast

from django.db import transaction

from comptes.models import Utilisateur
from paiements.causes import Cause, par_agent
from paiements.file.livres import lire_sans_paiement
from paiements.file.tenue import rapprocher
from paiements.models import Anomalie, DemandeRestitution, Impaye, Paiement, TransactionPayzen
from paiements.passages import faire_interroger, verrouiller
from paiements.reception.suivre import suivre
from socle.euros import ecrire_euros

Genre = Anomalie.Genre


class ImpayeImpossible(Exception):
    """Ce paiement ne peut être impayé, ou cet impayé ne s'annule pas."""


class MontantImpossible(ImpayeImpossible):
    """L'impayé que dit le journal n'est ni de ce débit, ni de l'impayé déjà enregistré."""


def is_enregistrable(paiement: Paiement) -> bool:
    """La banque a dit oui un jour, et n'a pas déjà repris ce débit ; restitué, elle peut le prendre encore."""
    return paiement.debit is not None and paiement.debit.is_vivante and not paiement.debit.compte.is_impaye


def get_probable(debit: TransactionPayzen) -> Decimal:
    """Ce que la banque reprend d'ordinaire : ce qu'elle en tient encore ; tout, si elle n'en tient plus rien."""
    return debit.compte.tenu if debit.compte.tenu > 0 else debit.montant


def is_du_debit(debit: TransactionPayzen, montant: Decimal) -> bool:
    """
    Un impayé est du débit entier, ou pas plus que ce que les remboursements en laissent.

    Entier, il peut suivre un remboursement : la banque a pris deux fois, et la Caf doit le voir.
    """
    # garde: impaye_de_quelque_chose
    return montant > 0 and (montant == debit.montant or montant <= debit.montant - debit.compte.credite)


@transaction.atomic
def enregistrer(paiement: Paiement, *, motif: str, agent: Utilisateur, montant: Decimal | None = None) -> Paiement:
    """
    La banque a repris l'argent : les dettes remontent d'autant, la démarche le dit à l'allocataire.

    D'une part, un agent dit de quelles dettes ; sans montant, c'est le plus probable (`get_probable`).

    :raises ImpayeImpossible: si le paiement n'est pas encaissé, si ce débit va être restitué, ou n'a pas ce montant
    """
    paiement = verrouiller(paiement.pk)
    if not is_enregistrable(paiement):  # garde: impaye_une_fois
        raise ImpayeImpossible(f"le paiement est {paiement.get_statut_display()}, ou déjà impayé")
    restitution = paiement.restitutions.filter(debit=paiement.debit, etat__in=DemandeRestitution.EN_COURS).first()
    if restitution is not None:  # garde: impaye_pas_pendant_une_restitution
        raise ImpayeImpossible(_dire_que_faire_de(restitution))
    debit = cast("TransactionPayzen", paiement.debit)
    montant = get_probable(debit) if montant is None else montant
    if not is_du_debit(debit, montant):  # garde: impaye_a_la_main_du_debit
        raise ImpayeImpossible(_dire_le_plus(debit))
    Impaye.objects.create(debit=debit, sens=Impaye.Sens.PRIS, montant=montant, motif=motif, auteur=agent)
    faire_interroger(paiement)  # ce que la banque tient d'autres débits se suit encore
    suivre(paiement, par_agent(agent, motif))
    return paiement


def _dire_que_faire_de(restitution: DemandeRestitution) -> str:
    """Un impayé peut arriver pendant une restitution : arrêtée, ou finie, il s'enregistre."""
    arreter = "arrêtez d'abord son ordre"
    if restitution.etat == DemandeRestitution.Etat.DEMANDEE:
        arreter = f"qu'un autre que {restitution.demandeur} la refuse d'abord"
    quoi = f"restitution n° {restitution.pk}, {restitution.get_etat_display()}"
    return f"ce débit va être restitué ({quoi}) : {arreter}, ou attendez qu'elle soit finie, puis recommencez"


def _dire_le_plus(debit: TransactionPayzen) -> str:
    entier, reste = ecrire_euros(debit.montant), ecrire_euros(debit.montant - debit.compte.credite)
    au_plus = f" ou au plus les {reste} qui en restent" if debit.compte.credite else " ou moins"
    return f"l'impayé est du débit entier, {entier},{au_plus}"


def is_annulable(anomalie: Anomalie) -> bool:
    """Un impayé enregistré par erreur, ou que la Caf a contesté avec succès, même s'il est mis de côté."""
    return anomalie.genre == Genre.IMPAYE and anomalie.is_a_trancher


@transaction.atomic
def annuler(anomalie: Anomalie, *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Cet impayé n'a pas eu lieu, ou la banque a rendu l'argent : le paiement est accepté de nouveau, puis imputé.

    :raises ImpayeImpossible: si ce n'est pas un impayé, ou s'il est déjà annulé
    """
    if anomalie.paiement_id is None or anomalie.transaction_id is None:
        raise ImpayeImpossible("ce n'est pas un impayé")
    paiement = verrouiller(anomalie.paiement_id)
    anomalie.refresh_from_db()  # garde: impaye_relu_avant_d_annuler
    if not is_annulable(anomalie):
        raise ImpayeImpossible("ce n'est pas un impayé, ou il est déjà annulé")
    pris = Impaye.objects.filter(debit=anomalie.transaction_id).latest("pk")
    Impaye.objects.create(
        debit_id=pris.debit_id, sens=Impaye.Sens.RENDU, montant=pris.montant, motif=motif, auteur=agent
    )
    faire_interroger(paiement)
    suivre(paiement, par_agent(agent, motif))
    return paiement


@transaction.atomic
def porter_du_journal(debit: TransactionPayzen, sens: Impaye.Sens, montant: Decimal, cause: Cause) -> None:
    """
    Le journal des impayés dit qu'un débit est repris, ou rendu ; le redire ne change rien. Personne ne le signe.

    :raises MontantImpossible: si ce débit ne peut avoir été repris, ou rendu, de ce montant
    :raises ImpayeImpossible: si la banque ne tient pas ce débit, si l'ordre de le restituer est parti, ou s'il n'a
        jamais été impayé
    """
    paiement = verrouiller(debit.paiement_id) if debit.paiement_id else None
    debit = TransactionPayzen.objects.select_related("compte").select_for_update(of=("self",)).get(pk=debit.pk)
    is_pris = sens == Impaye.Sens.PRIS
    _exiger_le_montant(debit, montant, is_pris=is_pris)
    if debit.compte.is_impaye == is_pris:  # garde: impaye_du_journal_une_fois
        if is_pris or debit.impayes.exists():
            return
        raise ImpayeImpossible("ce débit n'a jamais été impayé")
    if is_pris and not debit.is_vivante:  # garde: impaye_de_ce_qui_est_tenu
        raise ImpayeImpossible("la banque ne tient pas ce débit")
    # Pas encore parti, l'ordre renoncera de lui-même : attendre l'accord laisserait rendre ce que la banque a repris.
    # garde: impaye_du_journal_pas_pendant_un_ordre
    if is_pris and debit.restitutions.filter(etat=DemandeRestitution.Etat.ENVOYEE).exists():
        raise ImpayeImpossible("l'ordre de restituer ce débit est parti, sans réponse encore")
    Impaye.objects.create(debit=debit, sens=sens, montant=montant, motif=cause.motif)
    if paiement is None:
        rapprocher(lire_sans_paiement([debit.uuid]), cause)
        return
    faire_interroger(paiement)
    suivre(paiement, cause)


def _exiger_le_montant(debit: TransactionPayzen, montant: Decimal, *, is_pris: bool) -> None:
    """Un nouvel impayé tient au débit ; redit, ou rendu, il est de ce que nos livres en ont."""
    if debit.compte.is_impaye:
        # garde: impaye_redit_du_meme_montant
        if montant != (enregistre := debit.impayes.latest("pk").montant):
            raise MontantImpossible(f"cet impayé est déjà enregistré, de {ecrire_euros(enregistre)}")
    elif is_pris and not is_du_debit(debit, montant):  # garde: impaye_du_journal_du_debit
        raise MontantImpossible(_dire_le_plus(debit))
