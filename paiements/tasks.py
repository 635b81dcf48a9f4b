"""
Les tâches : des réveils au-dessus de la base, qui seule dit ce qui reste à faire (docs/adr/0002).

Le balayage passe chaque seconde. Perdre un message, un worker ou Redis entier retarde, et ne perd rien.
"""

import logging
from datetime import timedelta

from celery import Task, shared_task
from kombu.exceptions import OperationalError as BrokerInjoignable

from paiements import liaisons
from paiements.boutiques import BoutiqueAbsente
from paiements.documents import envois
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import DemandeRestitution
from paiements.payzen import EchecRest
from paiements.retours import ordres, trop_percu
from paiements.verification import interroger as verification
from paiements.verification.absence import reprendre_les_cles_revenues

logger = logging.getLogger(__name__)

PAR_BALAYAGE = 50
# Ce que dure une tâche, au plus : un réveil qui n'a pas été pris avant la fin du bail, moins elle, est jeté. Ainsi une
# file lente ne s'allonge pas, et rien ne se fait deux fois : la base le redira.
DUREE_D_UNE_TACHE = timedelta(seconds=20)


def reveiller(tache: Task, bail: timedelta | None = None, **cles: int) -> None:
    """Réveille une tâche ; un broker éteint ne fait rien échouer, le balayage passera derrière."""
    perime_s = (bail - DUREE_D_UNE_TACHE).total_seconds() if bail else None
    try:
        tache.apply_async(kwargs=cles, expires=perime_s)
    except BrokerInjoignable:
        logger.warning("broker injoignable : le balayage s'en chargera", extra={"tache": tache.name})


@shared_task
def balayer() -> None:
    """Ce que la base dit non fait : interrogations, tickets et restitutions dus, paiements à imputer."""
    for paiement_id in verification.reserver(PAR_BALAYAGE):  # garde: balayer_les_interrogations
        reveiller(interroger, verification.BAIL, paiement_id=paiement_id)
    for ticket_id in envois.reserver(PAR_BALAYAGE):
        reveiller(envoyer_ticket, envois.BAIL, ticket_id=ticket_id)
    for demande_id in ordres.reserver(PAR_BALAYAGE):
        reveiller(restituer, ordres.BAIL, demande_id=demande_id)
    while imputer_un_lot():
        pass
    reprendre_les_cles_revenues()


@shared_task
def reprendre_les_trop_payes() -> None:
    """Ce qu'une panne a laissé entre la fin d'un import et la reprise de ce que la Caf a reçu de trop."""
    trop_percu.reprendre_ce_qui_attend(PAR_BALAYAGE)


@shared_task
def battre(*, file: str) -> None:
    """L'ouvrier de cette file vit, et le planificateur aussi, qui l'a réveillé."""
    liaisons.noter_reponse(liaisons.get_ouvrier(file))


@shared_task
def interroger(*, paiement_id: int) -> None:
    """Interroge la plateforme sur un paiement ; vérifié, le prochain balayage l'impute, avec tous les autres."""
    verification.interroger(paiement_id)


@shared_task
def envoyer_ticket(*, ticket_id: int) -> None:
    envois.envoyer(ticket_id)


@shared_task
def restituer(*, demande_id: int) -> None:
    """Exécute une restitution approuvée ; sans réponse de la plateforme, le balayage y reviendra."""
    demande = DemandeRestitution.objects.select_related("paiement__caf").get(pk=demande_id)
    try:
        ordres.executer(demande)
    except ordres.RestitutionPrise:
        logger.info("restitution déjà entre les mains d'un autre worker", extra={"restitution": demande_id})
    except (EchecRest, BoutiqueAbsente) as echec:
        verification.signaler_l_echec(demande.paiement, echec)
