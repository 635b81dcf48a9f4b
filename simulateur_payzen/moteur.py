"""
Le moteur : un fil du processus serveur qui fait ce que le temps demande.

À chaque battement : sessions expirées, IPN prévus ou retardés, rejeux, remise du soir.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from . import banque, journaux, notification, operations
from .cartes import PAR_MASQUE
from .models import OUVERTES, AppelIpn, Boutique, Etape, EtatAppel, SessionPaiement, Transaction, get_boutiques

logger = logging.getLogger(__name__)

BATTEMENT_S = 0.25
HEURE_DE_REMISE = 22, 30
arret = threading.Event()
fil: threading.Thread | None = None


def demarrer() -> None:
    """Lance le fil ; un appel interrompu par l'arrêt précédent repart : au pire un doublon, jamais un oubli."""
    global fil
    AppelIpn.objects.filter(etat=EtatAppel.EN_COURS).update(etat=EtatAppel.PREVU)
    connection.close()
    fil = threading.Thread(target=tourner, name="moteur", daemon=True)
    fil.start()


def arreter() -> None:
    """Demande l'arrêt et l'attend un peu."""
    arret.set()
    if fil:
        fil.join(timeout=3)


def is_vivant() -> bool:
    """Vrai si le fil tourne."""
    return fil is not None and fil.is_alive()


def tourner() -> None:
    """Boucle du fil ; une faute se journalise et n'arrête rien."""
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="ipn") as equipe:
        while not arret.wait(BATTEMENT_S):
            try:
                battre(equipe)
            except Exception:
                logger.exception("le moteur du simulateur a trébuché")
            finally:
                close_old_connections()


def battre(equipe: ThreadPoolExecutor) -> None:
    """Un battement : chaque boutique a sa propre horloge."""
    expirer_sessions()
    for boutique in get_boutiques():
        if boutique.reglages.remise_auto:
            remettre_du_soir(boutique)
        deposer_les_journaux(boutique)
    dus = AppelIpn.objects.filter(etat__in=[EtatAppel.PREVU, EtatAppel.RETENU], prevu_le__lte=timezone.now())
    list(equipe.map(faire, dus.select_related("boutique", "session", "transaction").order_by("prevu_le")))


def faire(appel: AppelIpn) -> None:
    """Envoie un appel dû, dans un fil de l'équipe."""
    try:
        if not notification.prendre(appel):
            return
        if appel.source == "RETRY":
            notification.rejouer(appel)
        else:
            notification.appeler(appel)
    except Exception:
        logger.exception("un IPN prévu n'est pas parti", extra={"appel": appel.pk})
    finally:
        connection.close()


def expirer_sessions() -> None:
    """Ferme les sessions dont les dix minutes sont passées, à l'horloge de leur boutique."""
    for session in SessionPaiement.objects.filter(etape__in=OUVERTES).select_related("boutique"):
        try:
            if session.expire_le <= session.boutique.maintenant():
                expirer(session)
        except banque.SessionFermee:
            continue  # le payeur a fini entre la lecture et l'écriture


def expirer(session: SessionPaiement) -> None:
    """
    Expire une session : refus si la banque attendait un code (PROTOCOLE §3.9), abandon sinon.

    :raises banque.SessionFermee: elle ne l'est plus
    """
    if session.etape == Etape.AUTHENTIFICATION:
        carte = PAR_MASQUE[session.saisie["masque"]]
        with transaction.atomic():
            refus = banque.trancher(
                session, Etape.REFUSEE, carte, session.saisie, authentifie=False, erreur=banque.SESSION_EXPIREE
            )
            appels = notification.preparer(session, refus, "fin")
        notification.envoyer(appels)
        return
    banque.fermer(session, Etape.EXPIREE)
    notification.notifier(session, None, "annulation")


def deposer_les_journaux(boutique: Boutique) -> None:
    """Passé minuit UTC, les journaux de la veille."""
    veille = boutique.maintenant().astimezone(UTC).date() - timedelta(days=1)
    if boutique.journaux_du != veille and journaux.deposer(boutique, veille):
        Boutique.objects.filter(pk=boutique.pk).update(journaux_du=veille)


def remettre_du_soir(boutique: Boutique) -> None:
    """Remet en banque, sans IPN, ce qui était dû à la dernière remise (22 h 30 UTC)."""
    maintenant = boutique.maintenant().astimezone(UTC)
    derniere: datetime = maintenant.replace(hour=HEURE_DE_REMISE[0], minute=HEURE_DE_REMISE[1], second=0)
    if derniere > maintenant:
        derniere -= timedelta(days=1)
    dues = Transaction.objects.filter(boutique=boutique, statut="AUTHORISED", remise_prevue_le__lte=derniere)
    for due in dues:
        operations.remettre(due)
