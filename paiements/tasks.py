"""
Les tâches : des réveils au-dessus de la base, qui seule dit ce qui reste à faire (docs/adr/0002).

Le balayage passe chaque seconde. Perdre un message, un ouvrier ou Redis entier retarde, et ne perd rien.
"""

import logging
from functools import partial

from celery import Task, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError as CourtierInjoignable

from paiements import controle, imputation, restitution, tickets
from paiements.boutiques import BoutiqueAbsente
from paiements.models import DemandeRestitution
from paiements.payzen import EchecRest
from paiements.statuts import Statut

logger = logging.getLogger(__name__)

PAR_BALAYAGE = 50


def reveiller(tache: Task, **cles: int) -> None:
    """Réveille une tâche ; un courtier éteint ne fait rien échouer, le balayage passera derrière."""
    try:
        tache.apply_async(kwargs=cles)
    except CourtierInjoignable:
        logger.warning("courtier injoignable : le balayage s'en chargera", extra={"tache": tache.name})


@shared_task
def balayer() -> None:
    """Ce que la base dit non fait : contrôles, tickets et restitutions dus, paiements à imputer."""
    for paiement_id in controle.reserver(PAR_BALAYAGE):
        reveiller(controler, paiement_id=paiement_id)
    for ticket_id in tickets.reserver(PAR_BALAYAGE):
        reveiller(envoyer_ticket, ticket_id=ticket_id)
    for demande_id in restitution.reserver(PAR_BALAYAGE):
        reveiller(restituer, demande_id=demande_id)
    while imputation.imputer_un_lot():
        pass


@shared_task
def controler(*, paiement_id: int) -> None:
    """Interroge la plateforme sur un paiement ; s'il en sort vérifié, réveille l'imputation."""
    paiement = controle.controler(paiement_id)
    if paiement.statut == Statut.VERIFIE:
        transaction.on_commit(partial(reveiller, imputer))


@shared_task
def imputer() -> None:
    """Porte sur les dettes les paiements vérifiés."""
    while imputation.imputer_un_lot():
        pass


@shared_task
def envoyer_ticket(*, ticket_id: int) -> None:
    tickets.envoyer(ticket_id)


@shared_task
def restituer(*, demande_id: int) -> None:
    """Exécute une restitution approuvée ; sans réponse de la plateforme, le balayage y reviendra."""
    demande = DemandeRestitution.objects.select_related("paiement__caf").get(pk=demande_id)
    try:
        restitution.executer(demande)
    except restitution.RestitutionPrise:
        logger.info("restitution déjà entre les mains d'un autre ouvrier", extra={"restitution": demande_id})
    except (EchecRest, BoutiqueAbsente) as echec:
        controle.signaler_l_echec(demande.paiement, echec)
