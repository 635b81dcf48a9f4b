"""
Restituer de l'argent : demander, approuver à deux. Ce qui part ensuite est dans `ordres`.

Ce qui est parti se lit dans les transactions : une restitution faite n'est que la trace de qui l'a décidée.
"""

import logging
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from paiements.models import Anomalie, DemandeRestitution, Paiement, TransactionPayzen
from paiements.passages import verrouiller
from paiements.statuts import Geste, Statut, is_possible

logger = logging.getLogger(__name__)

Etat, Genre = DemandeRestitution.Etat, Anomalie.Genre


class RestitutionImpossible(Exception):
    """Le paiement, le montant ou les personnes ne permettent pas cette restitution."""


class ARestituer(NamedTuple):
    """De quel débit, et combien, en euros."""

    debit: TransactionPayzen
    montant: Decimal


@transaction.atomic
def demander(
    paiement: Paiement, *, motif: str, agent: Utilisateur, anomalie: Anomalie | None = None
) -> DemandeRestitution:
    """
    Demande de restituer tout ce qui reste d'un paiement, ou ce que montre une de ses anomalies.

    Le montant ne se choisit pas : ce qui est sur une dette se restitue avec le paiement entier, ou pas.

    :raises RestitutionImpossible: si la banque ne tient rien à restituer, ou si une restitution est déjà en cours
    """
    paiement = verrouiller(paiement.pk)
    if is_en_cours(paiement):  # garde: une_restitution_a_la_fois
        raise RestitutionImpossible("une restitution est déjà en cours sur ce paiement")
    if anomalie is not None:
        anomalie.refresh_from_db()
    part = get_a_restituer(paiement) if anomalie is None else get_a_restituer_d_une(paiement, anomalie)
    if part is None:
        raise RestitutionImpossible(
            "la banque ne tient pas d'argent que ce service puisse lui faire restituer ; ce qu'elle a déjà rendu de ce"
            " paiement se reprend d'abord des dettes"
        )
    demande = DemandeRestitution.objects.create(
        paiement=paiement, debit=part.debit, montant=part.montant, motif=motif, demandeur=agent
    )
    logger.info("restitution demandée", extra={"restitution": demande.pk, "paiement": paiement.reference})
    return demande


def is_en_cours(paiement: Paiement) -> bool:
    """Une restitution de ce paiement est demandée, approuvée ou envoyée : on n'en demande pas une deuxième."""
    return paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS).exists()


def get_a_restituer(paiement: Paiement) -> ARestituer | None:
    """Tout ce qui reste d'un paiement encaissé ; rien si la banque en a déjà rendu une part encore sur les dettes."""
    # garde: part_rendue_d_abord
    if not is_possible(Geste.RESTITUER, paiement.statut) or paiement.debit is None or paiement.a_placer < 0:
        return None
    return _exiger_restituable(paiement, paiement.debit, paiement.solde.tenu)


def get_a_restituer_d_une(paiement: Paiement, anomalie: Anomalie) -> ARestituer | None:
    """Ce que montre une anomalie : un reste à placer, ou un débit que la banque tient hors des dettes."""
    debit = anomalie.transaction
    if anomalie.paiement_id != paiement.pk or debit is None or not anomalie.is_a_trancher or not debit.is_debit:
        return None
    if anomalie.genre in (Genre.RESTITUTION_REFUSEE, Genre.REMISE_ABSENTE, Genre.PAIEMENT_TARDIF):
        return None
    if debit.uuid != paiement.debit_id:
        return _exiger_restituable(paiement, debit, debit.compte.tenu)
    if paiement.statut == Statut.IMPUTE:
        return _exiger_restituable(paiement, debit, paiement.a_placer)
    reparti = not is_possible(Geste.RESTITUER, paiement.statut)
    return _exiger_restituable(paiement, debit, debit.compte.tenu) if reparti else None


def _exiger_restituable(paiement: Paiement, debit: TransactionPayzen, montant: Decimal) -> ARestituer | None:
    """En euros, de notre boutique et de notre mode : ce que la plateforme sait restituer à notre nom."""
    a_nous = (debit.boutique, debit.mode) == (paiement.boutique, paiement.mode)
    # garde: debit_de_notre_boutique, debit_en_euros, montant_encore_tenu
    return ARestituer(debit, montant) if montant > 0 and a_nous and debit.is_en_euros else None


@transaction.atomic
def decider(demande: DemandeRestitution, *, accord: bool, agent: Utilisateur) -> DemandeRestitution:
    """
    Approuve ou refuse une demande. Celui qui approuve n'est pas celui qui demande.

    :raises RestitutionImpossible: si elle est déjà décidée, ou si c'est la même personne
    """
    # garde: verrou_de_qui_decide
    demande = DemandeRestitution.objects.select_for_update(of=("self",), no_key=True).get(pk=demande.pk)
    if demande.etat != Etat.DEMANDEE:  # garde: decider_une_fois
        raise RestitutionImpossible(f"la demande est {demande.get_etat_display()}")
    if demande.demandeur_id == agent.pk:  # garde: restituer_a_deux
        raise RestitutionImpossible("celui qui approuve n'est pas celui qui demande")
    demande.approbateur = agent
    demande.decidee_le = timezone.now()
    demande.etat = Etat.APPROUVEE if accord else Etat.REFUSEE
    demande.prochain_essai_le = timezone.now() if accord else None
    demande.save(update_fields=["approbateur", "decidee_le", "etat", "prochain_essai_le"])
    logger.info("restitution décidée", extra={"restitution": demande.pk, "etat": demande.etat})
    return demande
