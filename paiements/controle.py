"""
Interroger la plateforme : vérifier ce qui est accepté, retrouver ce dont aucune notification n'a parlé.

Le même contrôle sert aux deux (PROTOCOLE §6.7) : demander `Order/Get`, porter chaque fait par `constats`, puis
conclure sous verrou. La plateforme est appelée hors de toute transaction.
"""

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from paiements import anomalies, rapprochement, restitution
from paiements.boutiques import BoutiqueAbsente, get_boutique
from paiements.constats import constater
from paiements.models import Anomalie, DemandeRestitution, NotificationPayzen, Paiement
from paiements.payzen import Client, EchecRest, ErreurPlateforme, Fait, PlateformeInjoignable, get_solde
from paiements.reprise import has_part_a_reprendre
from paiements.services import TransitionImpossible, avancer, get_libre_le, verrouiller
from paiements.statuts import RESTITUABLES, Geste, Statut
from paiements.suites import faire_relire, resumer
from socle import attente

logger = logging.getLogger(__name__)

# Le temps qu'un contrôle garde son paiement pour lui : plus long que tout appel, assez court pour qu'un autre
# ouvrier reprenne vite un contrôle dont l'ouvrier est mort.
BAIL = timedelta(minutes=1)
RELANCE_APRES_PANNE = timedelta(minutes=2)
# Passé le dernier rendez-vous, ce que la banque ou un agent n'a pas tranché se redemande une fois par jour.
CHAQUE_JOUR = timedelta(days=1)


def reserver(combien: int) -> list[int]:
    """Prend à contrôler les paiements dont l'heure est venue, et les garde le temps d'un bail."""
    return attente.reserver(Paiement.objects.all(), "prochain_controle_le", combien=combien, bail=BAIL)


def controler(paiement_id: int) -> Paiement:
    """
    Interroge la plateforme sur un paiement et porte ce qu'elle en dit.

    :returns: le paiement dans son nouvel état ; inchangé, à reprendre plus tard, si la plateforme n'a pas répondu
    """
    paiement = Paiement.objects.get(pk=paiement_id)
    try:
        lecture = interroger(paiement)
    except (EchecRest, BoutiqueAbsente) as echec:
        # Aucune réponse n'est pas une réponse : rien n'est décidé, on redemandera.
        signaler_l_echec(paiement, echec)
        Paiement.objects.filter(pk=paiement_id).update(prochain_controle_le=timezone.now() + RELANCE_APRES_PANNE)
        return paiement
    return conclure(paiement_id, lecture) or paiement


def signaler_l_echec(paiement: Paiement, echec: EchecRest | BoutiqueAbsente) -> None:
    """Consigne un appel sans suite ; ce qu'attendre ne réparera pas devient une anomalie (PROTOCOLE §6.7, §11.7)."""
    logger.error("PayZen : appel sans suite", extra={"paiement": paiement.reference, "motif": str(echec)})
    if isinstance(echec, PlateformeInjoignable) or (isinstance(echec, ErreurPlateforme) and echec.is_passagere):
        return
    # Un réglage faux touche tous les paiements de la boutique : une anomalie par jour, et non par paiement.
    seul = isinstance(echec, ErreurPlateforme) and not echec.is_de_la_boutique
    quoi = echec.code if isinstance(echec, ErreurPlateforme) else type(echec).__name__
    deja = _compter_les_closes(paiement, Anomalie.Genre.REPONSE_INATTENDUE)
    qui = f"{paiement.reference}:{deja}" if seul else f"{paiement.boutique}:{timezone.localdate()}"
    anomalies.ouvrir(
        Anomalie.Genre.REPONSE_INATTENDUE,
        cle=f"{qui}:{quoi}",
        constat={"dit": str(echec), "boutique": paiement.boutique, "en interrogeant": paiement.reference},
        paiement=paiement if seul else None,
        caf=paiement.caf,
    )


class Lecture(NamedTuple):
    """Ce que la plateforme dit d'un paiement, et où nous en étions avant de demander."""

    faits: list[Fait]
    repere: tuple[int, int]


def get_repere(paiement: Paiement) -> tuple[int, int]:
    """Combien la banque a dit de choses neuves d'un paiement, et combien d'ordres nous y avons vus finir."""
    neuves = paiement.notifications.exclude(sort=NotificationPayzen.Sort.DOUBLON)
    finis = (DemandeRestitution.Etat.FAITE, DemandeRestitution.Etat.ECHOUEE)
    return neuves.count(), paiement.restitutions.filter(etat__in=finis).count()


def interroger(paiement: Paiement) -> Lecture:
    """
    Ce que la plateforme dit d'un paiement, sans rien en décider.

    :raises EchecRest: si elle n'a pas répondu
    :raises BoutiqueAbsente: si les clés de sa boutique ne sont pas réglées, ou le sont pour un autre mode
    """
    repere = get_repere(paiement)
    return Lecture(Client(get_boutique(paiement.boutique, paiement.mode)).get_order(paiement.reference), repere)


@transaction.atomic
def conclure(paiement_id: int, lecture: Lecture) -> Paiement | None:
    """
    Porte ce que la plateforme vient de dire d'un paiement, et décide de la suite ; rend son nouvel état.

    Si la banque a parlé, ou rendu, pendant qu'on lisait, la lecture est peut-être déjà vieille : on n'en fait rien, on
    relira aussitôt, et rien n'est rendu.
    """
    paiement, faits = verrouiller(paiement_id), lecture.faits
    if get_repere(paiement) != lecture.repere:
        faire_relire(paiement)
        return None
    for fait in faits:
        constater(fait, champs=resumer(fait))
    paiement = verrouiller(paiement_id)
    rapprochement.attribuer(paiement, faits)
    paiement.controles += 1
    if paiement.statut == Statut.ACCEPTE:
        _verifier(paiement, faits)
    elif paiement.statut == Statut.EN_ATTENTE and not _is_en_suspens(paiement, faits):
        paiement.prochain_controle_le = _prochain_controle(paiement, faits)
        a_part = any(fait.is_success for fait in faits)
        motif = "un agent a réglé ce débit à part" if a_part else "la plateforme n'a rien encaissé"
        avancer(Geste.EXPIRER, paiement, motif=motif, auteur="service")
    else:
        paiement.prochain_controle_le = _prochain_controle(paiement, faits)
        paiement.save(update_fields=["prochain_controle_le", "controles"])
    _suivre_la_remise(paiement)
    rapprochement.comparer(paiement, faits)
    return paiement


def _is_en_suspens(paiement: Paiement, faits: list[Fait]) -> bool:
    """La personne est peut-être sur la page de la banque, la banque hésite, ou un agent n'a pas réglé son débit."""
    return (
        timezone.now() < get_libre_le(paiement)
        or any(fait.is_pending for fait in faits)
        or paiement.anomalies.ouvertes().filter(montant__gt=0).exists()
    )


def _prochain_controle(paiement: Paiement, faits: list[Fait]) -> datetime | None:
    """
    Le prochain rendez-vous : T+25 min, T+75 min, T+24 h, T+72 h.

    Puis chaque jour, tant que la banque hésite, qu'un débit accepté n'est pas remis, ou qu'un crédit peut encore être
    défait sans que personne l'annonce ; sinon plus rien.
    """
    maintenant = timezone.now()
    demain = maintenant + CHAQUE_JOUR
    # Encaissé, il n'y a plus à voir que la remise en banque et ce que le Back Office en aurait fait.
    delais = settings.PAIEMENT_CONTROLES[-2:] if paiement.is_encaisse else settings.PAIEMENT_CONTROLES
    attendus = [instant for delai in delais if (instant := paiement.cree_le + delai) > maintenant]
    reste = paiement.statut == Statut.EN_ATTENTE or (paiement.statut in RESTITUABLES and paiement.remis_le is None)
    if reste and not attendus:
        attendus.append(demain)
    if any(fait.is_credit_a_suivre for fait in faits) or rapprochement.is_lecture_en_retard(paiement, faits):
        attendus.append(demain)
    # Un ordre arrêté ou refusé peut encore paraître : une lecture faite entre-temps n'en dispense pas.
    sans_effet = paiement.anomalies.filter(genre=Anomalie.Genre.RESTITUTION_REFUSEE)
    recentes = sans_effet.filter(ouverte_le__gt=maintenant - restitution.BAIL)
    attendus += [ouverte_le + restitution.BAIL for ouverte_le in recentes.values_list("ouverte_le", flat=True)]
    return min(attendus, default=None)


def _suivre_la_remise(paiement: Paiement) -> None:
    """Accepté n'est pas remis : passé le dernier rendez-vous, un agent regarde pourquoi (PROTOCOLE §6.7)."""
    attendue = paiement.statut in RESTITUABLES and paiement.remis_le is None
    if attendue and timezone.now() >= paiement.cree_le + settings.PAIEMENT_CONTROLES[-1]:
        anomalies.ouvrir(
            Anomalie.Genre.REMISE_ABSENTE,
            cle=f"{paiement.reference}:{_compter_les_closes(paiement, Anomalie.Genre.REMISE_ABSENTE)}",
            constat={"accepté le": paiement.accepte_le, "uuid": paiement.uuid},
            paiement=paiement,
        )


def _verifier(paiement: Paiement, faits: list[Fait]) -> None:
    """
    La deuxième source : même uuid, même montant, même devise, même boutique, même mode, et rien n'en est rendu.

    Au-dessus du seuil de la Caf, un agent confirme encore. Un désaccord est une anomalie, jamais un silence.
    """
    fait = next((fait for fait in faits if fait.uuid == paiement.uuid), None)
    if fait is None and paiement.controles <= len(settings.VERIFICATION_RELANCES):
        # Le délai de publication d'un paiement fini n'est pas documenté (PROTOCOLE §12) : on laisse du temps.
        paiement.prochain_controle_le = timezone.now() + settings.VERIFICATION_RELANCES[paiement.controles - 1]
    elif fait is None or not _is_d_accord(paiement, fait) or _get_solde_du_sien(paiement, faits) < paiement.net:
        _signaler_le_desaccord(paiement, fait, _get_solde_du_sien(paiement, faits))
    else:
        paiement.confirme_le = timezone.now()
        paiement.prochain_controle_le = _prochain_controle(paiement, faits)
        if not is_a_confirmer_par_un_agent(paiement):
            avancer(Geste.VERIFIER, paiement, motif="confirmé par la plateforme", auteur="service")
            return
    paiement.save(update_fields=["prochain_controle_le", "controles", "confirme_le"])


def _get_solde_du_sien(paiement: Paiement, faits: list[Fait]) -> Decimal:
    """Ce qu'elle tient de son débit, qu'un autre débit ne cache ni ne grève ; un crédit sans origine pèse sur tout."""
    sien = get_solde([fait for fait in faits if paiement.uuid in (fait.uuid, fait.parent)])
    muet = any(fait.is_credit_parti and not fait.parent for fait in faits)
    return min(sien, get_solde(faits)) if muet else sien


def _is_d_accord(paiement: Paiement, fait: Fait) -> bool:
    if has_part_a_reprendre(paiement):
        return False
    return fait.is_success and (fait.montant, fait.devise, fait.site, fait.mode) == (
        paiement.montant_debite,
        "EUR",
        paiement.boutique,
        paiement.mode,
    )


def is_a_confirmer_par_un_agent(paiement: Paiement) -> bool:
    seuil = paiement.caf.seuil_controle
    return seuil is not None and paiement.montant >= seuil


@transaction.atomic
def confirmer(paiement: Paiement, *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Un agent confirme un paiement au-dessus du seuil de sa Caf, que la plateforme a déjà confirmé.

    :raises TransitionImpossible: si la plateforme n'a pas encore confirmé ce paiement, si la banque n'en tient
        plus une part que personne n'a reprise, ou s'il n'est plus accepté
    """
    paiement = verrouiller(paiement.pk)
    if paiement.confirme_le is None:
        raise TransitionImpossible("la plateforme n'a pas encore confirmé ce paiement")
    if has_part_a_reprendre(paiement):
        raise TransitionImpossible(
            "la banque n'en tient plus une part : reprenez-la d'abord, ou mettez son alerte de côté"
        )
    return avancer(Geste.VERIFIER, paiement, motif=motif, auteur=agent.identifiant)


def _compter_les_closes(paiement: Paiement, genre: Anomalie.Genre) -> int:
    """Dans la clé d'une anomalie : close sans que rien n'ait changé, elle se rouvre sous le nombre suivant."""
    return paiement.anomalies.filter(genre=genre, resolue_le__isnull=False).count()


def _signaler_le_desaccord(paiement: Paiement, fait: Fait | None, solde: Decimal) -> None:
    paiement.confirme_le = None
    # Un paiement accepté ne s'oublie pas.
    paiement.prochain_controle_le = timezone.now() + CHAQUE_JOUR
    deja = _compter_les_closes(paiement, Anomalie.Genre.DESACCORD)
    vu = resumer(fait) if fait else "aucune transaction à ce nom"
    attendu = {"uuid": paiement.uuid, "montant": paiement.montant_debite, "boutique": paiement.boutique}
    anomalies.ouvrir(
        Anomalie.Genre.DESACCORD,
        cle=f"{paiement.reference}:{deja}",
        constat={"attendu": attendu, "vu": vu, "la banque tient, crédits déduits": solde},
        montant=paiement.net,
        paiement=paiement,
    )
