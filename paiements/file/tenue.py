"""Tenir la file des agents : ouvrir ce qui manque, fermer ce qui n'a plus lieu d'être, et l'écrire au journal."""

import logging
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from comptes.models import Caf, Utilisateur
from dettes.models import Dette
from paiements.causes import Cause, par_agent
from paiements.file.attendues import Attendue, get_attendues
from paiements.file.livres import Livres
from paiements.models import Anomalie, DemandeRestitution, EtapeAnomalie, Paiement, TransactionPayzen

logger = logging.getLogger(__name__)

Etat, Genre = Anomalie.Etat, Anomalie.Genre
REGLEES = (Etat.CLOSE, Etat.SANS_OBJET)


class DejaResolue(Exception):
    """Un autre agent, ou les faits, ont déjà réglé cette anomalie."""


class CloreImpossible(Exception):
    """Une anomalie d'argent ne se clôt pas : elle se ferme avec les comptes, ou se met de côté."""


def rapprocher(livres: Livres, cause: Cause) -> None:
    """
    Met la file d'accord avec les livres. À appeler sous le verrou du paiement, après chaque écriture.

    Ce qui manque s'ouvre ; ce qui n'a plus lieu d'être se ferme avec la cause qui l'a fermé ; une anomalie réglée ou
    mise de côté se rouvre si sa situation a changé. Aucun autre endroit n'ouvre ni ne ferme une anomalie d'argent.
    """
    attendues = {(str(attendue.genre), attendue.cle): attendue for attendue in get_attendues(livres, timezone.now())}
    if not (attendues or livres.has_file):
        return
    connues = {(anomalie.genre, anomalie.cle): anomalie for anomalie in _get_connues(livres)}
    for cle, attendue in attendues.items():
        _ouvrir(connues.get(cle), attendue, livres, cause)
    for cle, anomalie in connues.items():
        if cle not in attendues and anomalie.is_a_trancher:  # garde: fermer_ce_qui_n_a_plus_lieu
            _passer(anomalie, Etat.CLOSE if cause.is_agent else Etat.SANS_OBJET, cause)


def _get_connues(livres: Livres) -> list[Anomalie]:
    d_argent = Anomalie.objects.d_argent()
    if livres.paiement is not None:
        return list(d_argent.filter(paiement=livres.paiement).select_for_update(no_key=True).order_by("pk"))
    return list(d_argent.filter(transaction__in=livres.transactions).select_for_update(no_key=True).order_by("pk"))


def _ouvrir(anomalie: Anomalie | None, attendue: Attendue, livres: Livres, cause: Cause) -> None:
    if anomalie is None:
        signaler(
            attendue.genre,
            attendue.cle,
            situation=attendue.situation,
            paiement=livres.paiement,
            transaction_payzen=attendue.transaction,
            cause=cause,
            restitution=attendue.restitution,
        )
    # garde: rouvrir_ce_qui_revient, rouvrir_ce_qui_change
    elif anomalie.etat in REGLEES or anomalie.situation != attendue.situation:
        # Réglée, les comptes l'avaient fermée : ce qu'elle disait est revenu. Mise de côté, elle l'est pour cet état.
        anomalie.situation = attendue.situation
        _passer(anomalie, Etat.OUVERTE, cause)


@transaction.atomic
def signaler(
    genre: Anomalie.Genre,
    cle: str,
    *,
    cause: Cause,
    situation: str = "",
    detail: str = "",
    manque: Decimal | None = None,
    paiement: Paiement | None = None,
    transaction_payzen: TransactionPayzen | None = None,
    dette: Dette | None = None,
    caf: Caf | None = None,
    restitution: DemandeRestitution | None = None,
) -> Anomalie:
    """
    Ouvre une anomalie ; la rouvre si sa situation a changé, ou si les faits l'avaient réglée.

    :param cle: ce dont elle parle : deux fois la même clé, c'est la même chose à faire
    :param detail: ce qu'un agent doit lire ; aucune donnée de carte, aucun nom
    """
    caf = paiement.caf if paiement else dette.caf if dette else caf or _deviner_la_caf(transaction_payzen)
    sujets = {"paiement": paiement, "transaction": transaction_payzen, "dette": dette, "caf": caf}
    dits = {"situation": situation, "detail": detail[:300], "manque": manque, "restitution": restitution}
    connues = Anomalie.objects.select_for_update(of=("self",), no_key=True)  # garde: anomalie_rouverte_une_fois
    anomalie, nouvelle = connues.get_or_create(genre=genre, cle=cle, defaults=sujets | dits)
    if nouvelle:
        _journaliser_l_ouverture(anomalie, cause)
    elif anomalie.etat == Etat.SANS_OBJET or anomalie.situation != situation:
        anomalie.situation, anomalie.detail, anomalie.manque = situation, detail[:300], manque
        _passer(anomalie, Etat.OUVERTE, cause)
    return anomalie


def _deviner_la_caf(transaction_payzen: TransactionPayzen | None) -> Caf | None:
    """D'une référence inconnue, la boutique dit la Caf."""
    return Caf.objects.filter(boutique=transaction_payzen.boutique).first() if transaction_payzen else None


@transaction.atomic
def clore(anomalie: Anomalie, cause: Cause) -> None:
    """
    Ferme une anomalie qui raconte un événement ; celles d'argent se ferment avec les comptes.

    :raises CloreImpossible: si elle est d'argent
    :raises DejaResolue: si un autre agent, ou les faits, l'ont réglée avant
    """
    anomalie = Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)
    if anomalie.genre in Anomalie.D_ARGENT:  # garde: l_argent_ne_se_clot_pas
        raise CloreImpossible("une anomalie d'argent se ferme avec les comptes, ou se met de côté")
    if not anomalie.is_a_trancher:
        raise DejaResolue(f"elle est déjà {anomalie.get_etat_display()}")
    _passer(anomalie, Etat.CLOSE if cause.is_agent else Etat.SANS_OBJET, cause)


@transaction.atomic
def mettre_de_cote(anomalie: Anomalie, *, motif: str, agent: Utilisateur) -> Anomalie:
    """
    Un agent n'a rien à en faire, ou l'a réglé autrement : son motif le dit. L'argent tenu le reste.

    :raises DejaResolue: si un autre agent, ou les faits, l'ont réglée avant
    """
    # garde: verrou_de_qui_met_de_cote
    anomalie = Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)
    if not anomalie.is_ouverte:  # garde: mettre_de_cote_une_fois
        raise DejaResolue(f"elle est déjà {anomalie.get_etat_display()}")
    _passer(anomalie, Etat.ECARTEE, par_agent(agent, motif))
    return anomalie


def fermer_les_inconnues(paiement: Paiement, cause: Cause) -> None:
    """Les références inconnues dont on vient de retrouver le paiement n'ont plus lieu d'être."""
    siennes = Anomalie.objects.filter(genre=Genre.REFERENCE_INCONNUE, transaction__paiement=paiement)
    for anomalie in siennes.select_for_update(no_key=True):
        if anomalie.is_a_trancher:
            _passer(anomalie, Etat.SANS_OBJET, cause)


@transaction.atomic
def rouvrir(anomalie: Anomalie, *, motif: str, agent: Utilisateur) -> Anomalie:
    """
    Ce qu'un agent avait mis de côté est de nouveau à traiter.

    :raises DejaResolue: si elle n'est plus de côté
    """
    anomalie = Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)
    if anomalie.etat != Etat.ECARTEE:
        raise DejaResolue(f"elle est {anomalie.get_etat_display()}")
    _passer(anomalie, Etat.OUVERTE, par_agent(agent, motif))
    return anomalie


def _journaliser_l_ouverture(anomalie: Anomalie, cause: Cause) -> None:
    _journaliser(anomalie, "", cause)
    logger.warning("anomalie ouverte", extra={"genre": anomalie.genre, "anomalie": anomalie.pk})


def _passer(anomalie: Anomalie, vers: Anomalie.Etat, cause: Cause) -> None:
    _journaliser(anomalie, anomalie.etat, cause, vers)
    if vers == Etat.OUVERTE and anomalie.etat != Etat.OUVERTE:
        anomalie.ouverte_le = timezone.now()
    anomalie.etat = vers
    anomalie.save(update_fields=["etat", "situation", "detail", "manque", "ouverte_le"])
    logger.info("anomalie : %s", vers, extra={"anomalie": anomalie.pk, "genre": anomalie.genre})


def _journaliser(anomalie: Anomalie, de: str, cause: Cause, vers: str = Etat.OUVERTE) -> None:
    EtapeAnomalie.objects.create(
        anomalie=anomalie,
        de=de,
        vers=vers,
        situation=anomalie.situation,
        motif=cause.motif[:500],
        auteur=cause.auteur,
    )
