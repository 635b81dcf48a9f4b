"""Faire avancer un paiement : le verrouiller, le relire, et ne passer que par la table des passages."""

import logging
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from paiements.causes import Cause
from paiements.models import EtapePaiement, Paiement
from paiements.statuts import ETAT_DE_LA_DEMARCHE, TRANSITIONS, Geste, Statut

logger = logging.getLogger(__name__)


class TransitionImpossible(Exception):
    """La table des passages ne permet pas ce geste depuis le statut actuel."""


def verrouiller(paiement_id: int) -> Paiement:
    """Relit un paiement, sa démarche et son débit sous verrou. À appeler dans une transaction."""
    return (
        Paiement.objects.select_for_update(of=("self",), no_key=True)  # garde: verrou_du_paiement
        .select_related("demarche", "caf", "debit")
        .get(pk=paiement_id)
    )


def avancer(geste: Geste, paiement: Paiement, cause: Cause) -> Paiement:
    """
    Fait avancer un paiement tenu sous verrou, l'écrit au journal, met sa démarche à jour, enregistre ses champs.

    Rejouer un geste déjà fait ne change rien : la banque répète ses notifications.

    :raises TransitionImpossible: si la table ne permet pas ce geste depuis l'état actuel
    """
    depuis, vers = TRANSITIONS[geste]
    if paiement.statut == vers:
        return paiement
    if paiement.statut not in depuis:  # garde: table_des_passages
        raise TransitionImpossible(f"{geste} : {paiement} est {paiement.get_statut_display()}")
    EtapePaiement.objects.create(
        paiement=paiement, geste=geste, de=paiement.statut, vers=vers, motif=cause.motif[:200], auteur=cause.auteur
    )
    paiement.statut = vers
    if vers == Statut.VERIFIE:
        paiement.imputer_le = timezone.now()
    paiement.save()
    _mettre_a_jour_la_demarche(paiement)
    logger.info("paiement : %s", geste, extra={"paiement": paiement.reference, "vers": vers})
    return paiement


def _mettre_a_jour_la_demarche(paiement: Paiement) -> None:
    etat = ETAT_DE_LA_DEMARCHE[Statut(paiement.statut)]
    if paiement.demarche.etat != etat:
        paiement.demarche.etat = etat
        paiement.demarche.save(update_fields=["etat"])


def faire_interroger(paiement: Paiement) -> None:
    """La plateforme est interrogée dès que possible. À appeler sous le verrou du paiement."""
    paiement.prochain_controle_le = timezone.now()
    paiement.save(update_fields=["prochain_controle_le"])


def avancer_l_interrogation(paiement: Paiement) -> None:
    """
    Qui revient de la banque n'attend pas vingt-cinq minutes une notification perdue : on interroge aussitôt, une fois.

    Rien n'en est cru ; sans nouvelle, le rendez-vous ordinaire reste.
    """
    a_avancer = Paiement.objects.filter(pk=paiement.pk, statut=Statut.EN_ATTENTE, controles=0)
    a_avancer.filter(prochain_controle_le=get_libre_le(paiement)).update(prochain_controle_le=timezone.now())


def get_libre_le(paiement: Paiement) -> datetime:
    """L'heure à laquelle, sans nouvelle de la banque, nous l'interrogeons et libérons les montants engagés."""
    return paiement.cree_le + settings.PAIEMENT_CONTROLES[0]
