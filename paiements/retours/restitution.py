"""
Restituer de l'argent : demander, approuver à deux. Ce qui part ensuite est dans `ordres`.

Ce qui est parti se lit dans les transactions : une restitution faite n'est que la trace de qui l'a décidée.
"""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from paiements.causes import Cause, par_agent
from paiements.imputation.reprendre import reprendre_des_dettes
from paiements.models import Anomalie, DemandeRestitution, Paiement, PartRestituee, TransactionPayzen
from paiements.passages import verrouiller
from paiements.reception.suivre import suivre
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


@transaction.atomic
def demander_une_part(
    paiement: Paiement, parts: Mapping[int, Decimal], *, motif: str, agent: Utilisateur
) -> DemandeRestitution:
    """
    Demande de restituer une part d'un paiement imputé, en disant de quelles dettes elle se reprendra.

    :param parts: ce qu'on reprendra à chaque dette, par sa clé
    :raises RestitutionImpossible: si ce n'est pas une part, si une dette n'a pas reçu autant, ou si autre chose est à
        régler d'abord
    """
    paiement = verrouiller(paiement.pk)
    choisies = {cle: part for cle, part in parts.items() if part}
    if is_en_cours(paiement):  # garde: une_part_a_la_fois
        raise RestitutionImpossible("une restitution est déjà en cours sur ce paiement")
    _exiger_les_parts(paiement, choisies)
    montant = sum(choisies.values(), Decimal(0))
    debit = paiement.debit
    if debit is None or _exiger_restituable(paiement, debit, montant) is None:
        raise RestitutionImpossible("ce service ne sait pas restituer ce débit : le faire au Back Office de PayZen")
    demande = DemandeRestitution.objects.create(
        paiement=paiement, debit=debit, montant=montant, motif=motif, demandeur=agent
    )
    PartRestituee.objects.bulk_create(
        PartRestituee(demande=demande, dette_id=cle, montant=part) for cle, part in choisies.items()
    )
    logger.info("restitution d'une part demandée", extra={"restitution": demande.pk, "paiement": paiement.reference})
    return demande


def is_partielle_possible(paiement: Paiement) -> bool:
    """Imputé, et la banque en tient exactement ce qui est aux dettes : sinon, une anomalie se règle d'abord."""
    return paiement.statut == Statut.IMPUTE and paiement.a_placer == 0 and not paiement.solde.is_en_l_air


def _exiger_les_parts(paiement: Paiement, parts: Mapping[int, Decimal]) -> None:
    if not is_partielle_possible(paiement):  # garde: part_d_un_paiement_juste
        raise RestitutionImpossible("ce paiement n'est pas imputé au centime : réglez d'abord son anomalie")
    imputees = paiement.imputations.par_dette()
    # garde: part_que_la_dette_a_recue
    if any(part < 0 or part > imputees.get(cle, Decimal(0)) for cle, part in parts.items()):
        raise RestitutionImpossible("une dette ne peut rendre plus que ce que ce paiement y a imputé")
    if not 0 < sum(parts.values(), Decimal(0)) < paiement.solde.tenu:  # garde: une_part_n_est_pas_le_tout
        raise RestitutionImpossible("une part est moins que le tout : pour le tout, demandez la restitution entière")


def _reprendre_les_parts(demande: DemandeRestitution, paiement: Paiement, cause: Cause) -> None:
    """
    Les dettes remontent de leur part dès l'approbation : l'ordre ne rend que ce qui n'est sur aucune dette.

    Jamais moins : ce que la Caf n'attendait pas a déjà quitté la dette (`trop_percu`), ce qui y est encore lui est dû.
    """
    parts = dict(demande.parts.values_list("dette_id", "montant"))
    if not parts:
        return
    try:
        _exiger_les_parts(paiement, parts)  # garde: parts_relues_avant_d_approuver
    except RestitutionImpossible as refus:
        motif = "ses parts ne vont plus : refusez cette demande, réglez l'anomalie du paiement, puis redemandez"
        raise RestitutionImpossible(motif) from refus
    reprendre_des_dettes(paiement, parts, cause)
    suivre(paiement, cause)


def is_en_cours(paiement: Paiement) -> bool:
    """Une restitution de ce paiement est demandée, approuvée ou envoyée : on n'en demande pas une deuxième."""
    return paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS).exists()


def is_encore_du(demande: DemandeRestitution) -> bool:
    """La banque tient encore cet argent ; d'un paiement imputé, une part l'est si aucune dette ne l'a reçue."""
    paiement, tenu = demande.paiement, demande.debit.compte.tenu
    is_une_part = demande.debit_id == paiement.debit_id and demande.montant < tenu
    if is_une_part and paiement.statut == Statut.IMPUTE:
        return paiement.a_placer >= demande.montant  # garde: part_qu_aucune_dette_n_a_recue
    return tenu >= demande.montant


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
def decider(demande: DemandeRestitution, *, accord: bool, agent: Utilisateur, motif: str = "") -> DemandeRestitution:
    """
    Approuve ou refuse une demande. Celui qui approuve n'est pas celui qui demande.

    :raises RestitutionImpossible: si elle est déjà décidée, si c'est la même personne, si ses parts ne vont plus,
        ou si la banque ne tient plus son montant
    """
    paiement = verrouiller(demande.paiement_id)
    # garde: verrou_de_qui_decide
    demande = DemandeRestitution.objects.select_for_update(of=("self",), no_key=True).get(pk=demande.pk)
    if demande.etat != Etat.DEMANDEE:  # garde: decider_une_fois
        raise RestitutionImpossible(f"la demande est {demande.get_etat_display()}")
    if demande.demandeur_id == agent.pk:  # garde: restituer_a_deux
        raise RestitutionImpossible("celui qui approuve n'est pas celui qui demande")
    if accord:
        _reprendre_les_parts(demande, paiement, par_agent(agent, f"restitution n° {demande.pk} : {demande.motif}"))
        if not is_encore_du(demande):  # garde: approuver_ce_qui_est_encore_du
            raise RestitutionImpossible("la banque ne tient plus ce montant de ce débit : refusez cette demande")
    demande.approbateur, demande.decision = agent, motif
    demande.decidee_le = timezone.now()
    demande.etat = Etat.APPROUVEE if accord else Etat.REFUSEE
    demande.prochain_essai_le = timezone.now() if accord else None
    demande.save(update_fields=["approbateur", "decision", "decidee_le", "etat", "prochain_essai_le"])
    logger.info("restitution décidée", extra={"restitution": demande.pk, "etat": demande.etat})
    return demande
