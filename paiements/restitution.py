"""
Rendre de l'argent : demander, approuver à deux, envoyer une seule fois, écrire la contrepartie.

La plateforme n'a pas de clé d'idempotence (PROTOCOLE §6.5) : l'ordre est d'abord noté « envoyé », puis donné ; si la
réponse se perd, on regarde ce que la plateforme a fait avant d'envoyer de nouveau.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from comptes.models import Utilisateur
from paiements import anomalies
from paiements.boutiques import get_boutique
from paiements.imputation import contrepasser
from paiements.models import Anomalie, DemandeRestitution, Paiement, Reprise
from paiements.payzen import Client, ErreurPlateforme, Fait, Famille
from paiements.reprise import has_part_a_reprendre, solder
from paiements.services import avancer, verrouiller
from paiements.statuts import RESTITUABLES, Geste, is_possible
from paiements.suites import faire_relire
from socle import attente

logger = logging.getLogger(__name__)

Etat, Genre = DemandeRestitution.Etat, Anomalie.Genre
# Un reste sans dette, ou de trop à la banque : dans le débit du paiement. Un remboursement défait, aussi, ou dans
# celui qu'il remboursait.
SUR_LE_DEBIT_DU_PAIEMENT = (Genre.RELIQUAT, Genre.ANNULATION_BANQUE, Genre.ECART)
SUR_UN_DEBIT_A_PART = (Genre.DOUBLE_PAIEMENT, Genre.MONTANT_DIFFERENT, Genre.STATUT_INATTENDU)
# Entre deux essais : le temps qu'une réponse perdue soit visible, ou que le débit soit remis en banque (PSP_076).
BAIL = timedelta(minutes=15)


class RestitutionImpossible(Exception):
    """Le paiement, le montant ou les personnes ne permettent pas cette restitution."""


class RestitutionPrise(Exception):
    """Un autre ouvrier parle à la plateforme de cette restitution : il la finira, ou son bail la rendra."""


@transaction.atomic
def demander(
    paiement: Paiement, *, motif: str, agent: Utilisateur, anomalie: Anomalie | None = None
) -> DemandeRestitution:
    """
    Demande de rendre tout ce qui reste d'un paiement, ou l'argent sans case que retient une de ses anomalies.

    Le montant ne se choisit pas : ce qui est sur une dette se rend avec le paiement entier, ou pas.

    :raises RestitutionImpossible: si le paiement n'est pas encaissé, ou si une restitution est déjà en cours
    """
    paiement = verrouiller(paiement.pk)
    if is_en_cours(paiement):
        raise RestitutionImpossible("une restitution est déjà en cours sur ce paiement")
    if anomalie is not None:
        anomalie = Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)
    debit, montant = _choisir_le_debit(paiement, anomalie)
    demande = DemandeRestitution(
        paiement=paiement, anomalie=anomalie, debit=debit, montant=montant, motif=motif, demandeur=agent
    )
    demande.save()
    logger.info("restitution demandée", extra={"restitution": demande.pk, "paiement": paiement.reference})
    return demande


def is_en_cours(paiement: Paiement) -> bool:
    """Une restitution de ce paiement est demandée, approuvée ou envoyée : on n'en demande pas une deuxième."""
    return paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS).exists()


def _choisir_le_debit(paiement: Paiement, anomalie: Anomalie | None) -> tuple[str, Decimal]:
    """L'uuid du débit à rendre, et combien, en euros."""
    if anomalie is None:
        return _choisir_le_sien(paiement)
    if anomalie.paiement_id != paiement.pk or not is_a_rendre(anomalie):
        raise RestitutionImpossible("cette anomalie ne retient pas d'argent que la banque puisse rendre")
    vu = anomalie.constat.get("vu", {})
    debit: str = vu["uuid"] if anomalie.genre in SUR_UN_DEBIT_A_PART else vu.get("parent") or paiement.uuid or ""
    if debit == paiement.uuid:
        _exiger_le_net_juste(paiement)
    return debit, anomalie.montant


def _choisir_le_sien(paiement: Paiement) -> tuple[str, Decimal]:
    if not is_possible(Geste.RESTITUER, paiement.statut) or paiement.uuid is None:
        raise RestitutionImpossible(f"le paiement est {paiement.get_statut_display()}")
    if not paiement.net:
        raise RestitutionImpossible("la banque ne tient plus rien de ce paiement")
    _exiger_le_net_juste(paiement)
    return paiement.uuid, paiement.net


def is_a_rendre(anomalie: Anomalie) -> bool:
    """Ouverte, elle retient l'argent d'un débit que la plateforme sait rendre au nom de notre boutique."""
    if anomalie.resolue_le is not None or not anomalie.montant or anomalie.paiement is None:
        return False
    if anomalie.genre in SUR_LE_DEBIT_DU_PAIEMENT:
        # Tant que le débit du paiement est sur les dettes, ce que la banque tient de trop est sur un autre.
        ailleurs = anomalie.genre == Genre.ECART and (
            anomalie.paiement.statut in RESTITUABLES or anomalie.paiement.is_impaye
        )
        return anomalie.paiement.uuid is not None and not ailleurs
    vu = anomalie.constat.get("vu")
    return (
        anomalie.genre in SUR_UN_DEBIT_A_PART
        and isinstance(vu, dict)
        and bool(vu.get("uuid"))
        and (vu.get("boutique"), vu.get("mode")) == (anomalie.paiement.boutique, anomalie.paiement.mode)
    )


def _exiger_le_net_juste(paiement: Paiement) -> None:
    """Ce que la banque a déjà rendu de ce débit se reprend d'abord : elle ne le rendrait pas deux fois."""
    if has_part_a_reprendre(paiement):
        raise RestitutionImpossible(
            "la banque en a déjà rendu une part : reprenez-la d'abord, ou mettez son alerte de côté"
        )


@transaction.atomic
def decider(demande: DemandeRestitution, *, accord: bool, agent: Utilisateur) -> DemandeRestitution:
    """
    Approuve ou refuse une demande. Celui qui approuve n'est pas celui qui demande.

    :raises RestitutionImpossible: si elle est déjà décidée, ou si c'est la même personne
    """
    demande = DemandeRestitution.objects.select_for_update(of=("self",), no_key=True).get(pk=demande.pk)
    if demande.etat != Etat.DEMANDEE:
        raise RestitutionImpossible(f"la demande est {demande.get_etat_display()}")
    if demande.demandeur_id == agent.pk:
        raise RestitutionImpossible("celui qui approuve n'est pas celui qui demande")
    demande.approbateur = agent
    demande.decidee_le = timezone.now()
    demande.etat = Etat.APPROUVEE if accord else Etat.REFUSEE
    demande.prochain_essai_le = timezone.now() if accord else None
    demande.save(update_fields=["approbateur", "decidee_le", "etat", "prochain_essai_le"])
    logger.info("restitution décidée", extra={"restitution": demande.pk, "etat": demande.etat})
    return demande


def reserver(combien: int) -> list[int]:
    """Prend à exécuter les restitutions approuvées, et les garde le temps d'un bail."""
    return attente.reserver(DemandeRestitution.objects.all(), "prochain_essai_le", combien=combien, bail=BAIL)


def executer(demande: DemandeRestitution) -> DemandeRestitution:
    """
    Donne l'ordre à la plateforme, une seule fois, et écrit la contrepartie.

    Rejouable : si l'ordre est déjà parti sans que sa réponse ait été lue, on regarde d'abord ce qu'il en est.

    :raises RestitutionImpossible: si elle n'est pas approuvée
    :raises RestitutionPrise: si un autre ouvrier l'exécute en ce moment
    :raises EchecRest: si la plateforme n'a pas répondu ; relancer regardera avant d'envoyer
    """
    with _seul_sur(demande):
        return _executer(demande)


@contextmanager
def _seul_sur(demande: DemandeRestitution) -> Iterator[None]:
    """
    Regarder puis envoyer ne se fait pas à deux : la plateforme ferait deux remboursements.

    Le verrou tient à la connexion et non à une transaction, qui n'a pas à attendre le réseau.
    """
    cle = f"restitution {demande.pk}"
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [cle])
        if not curseur.fetchone()[0]:
            raise RestitutionPrise(cle)
    try:
        yield
    finally:
        with connection.cursor() as curseur:
            curseur.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [cle])


def _executer(demande: DemandeRestitution) -> DemandeRestitution:
    demande = _noter_l_envoi(demande)
    if demande.etat != Etat.ENVOYEE:
        return demande
    paiement = demande.paiement
    client = Client(get_boutique(paiement.boutique, paiement.mode))
    fait = _retrouver(demande, client.get_order(paiement.reference))
    if fait is not None:
        return _conclure(demande, fait)
    try:
        fait = client.cancel_or_refund(
            demande.debit, demande.montant, f"restitution {demande.pk}", rembourser_seulement=demande.is_partielle
        )
    except ErreurPlateforme as erreur:
        if not erreur.is_definitive:
            raise
        # « Déjà rendu » peut vouloir dire : à l'instant, par nous (§6.5).
        relu = _retrouver(demande, client.get_order(paiement.reference))
        return _renoncer(demande, erreur.code) if relu is None else _conclure(demande, relu)
    return _conclure(demande, fait)


def abandonner(demande: DemandeRestitution, *, motif: str, agent: Utilisateur) -> DemandeRestitution:
    """
    Arrête un ordre que la plateforme n'exécute pas : l'argent se rend autrement, et ne doit pas partir deux fois.

    :raises RestitutionImpossible: si l'ordre n'est pas en route, ou si la plateforme l'a exécuté : c'est alors noté
    :raises RestitutionPrise: si un ouvrier lui en parle à cet instant
    :raises EchecRest: si la plateforme ne répond pas : rien ne dit que l'ordre n'est pas parti
    """
    with _seul_sur(demande):
        demande = _noter_l_envoi(demande)
        if demande.etat != Etat.ENVOYEE:
            raise RestitutionImpossible(f"la demande est {demande.get_etat_display()}")
        paiement = demande.paiement
        client = Client(get_boutique(paiement.boutique, paiement.mode))
        fait = _retrouver(demande, client.get_order(paiement.reference))
        if fait is not None:
            _conclure(demande, fait)
            raise RestitutionImpossible("la plateforme a déjà exécuté cet ordre")
        return _renoncer(demande, f"arrêtée par {agent.identifiant} : {motif}")


@transaction.atomic
def _noter_l_envoi(demande: DemandeRestitution) -> DemandeRestitution:
    demande = DemandeRestitution.objects.select_related("paiement__demarche", "paiement__caf").get(pk=demande.pk)
    if demande.etat in (Etat.DEMANDEE, Etat.REFUSEE):
        raise RestitutionImpossible(f"la demande est {demande.get_etat_display()}")
    if demande.etat == Etat.APPROUVEE:
        demande.etat = Etat.ENVOYEE
        demande.save(update_fields=["etat"])
    return demande


def _retrouver(demande: DemandeRestitution, faits: list[Fait]) -> Fait | None:
    """Ce que la plateforme a déjà fait de cet ordre : le débit annulé, ou un crédit du même montant, à personne."""
    connus = set(demande.paiement.restitutions.exclude(uuid="").values_list("uuid", flat=True))
    # Le débit annulé est sûr ; un crédit dont personne n'a parlé est plutôt le nôtre qu'un crédit du Back Office.
    signales = demande.paiement.anomalies.filter(genre=Genre.ANNULATION_BANQUE)
    comptes = signales.filter(issue=Anomalie.Issue.RESTITUEE)
    connus |= set(comptes.values_list("constat__vu__uuid", flat=True))
    annonces = set(signales.values_list("constat__vu__uuid", flat=True))
    for fait in sorted(faits, key=lambda fait: (fait.is_credit, fait.uuid in annonces)):
        if fait.is_cancelled_after and fait.uuid == demande.debit:
            return fait
        if fait.uuid not in connus and _is_son_credit(demande, fait):
            return fait
    return None


def _is_son_credit(demande: DemandeRestitution, fait: Fait) -> bool:
    vivant = fait.is_credit and fait.famille in (Famille.SUCCES, Famille.ATTENTE)
    return vivant and fait.parent in ("", demande.debit) and fait.montant == demande.montant


def _conclure(demande: DemandeRestitution, fait: Fait) -> DemandeRestitution:
    """Un crédit encore en attente n'a rien rendu : on regardera de nouveau. Refusé, il n'a rien rendu non plus."""
    if fait.is_cancelled_after or fait.is_credit_parti:
        return _noter_le_rendu(demande, fait)
    if fait.famille is Famille.ATTENTE:
        return demande
    return _renoncer(demande, f"transaction {fait.operation} {fait.statut}")


@transaction.atomic
def _noter_le_rendu(demande: DemandeRestitution, fait: Fait) -> DemandeRestitution:
    paiement = verrouiller(demande.paiement_id)
    demande = DemandeRestitution.objects.select_for_update(of=("self",), no_key=True).get(pk=demande.pk)
    if demande.etat == Etat.FAITE:
        return demande
    demande.etat = Etat.FAITE
    demande.uuid = fait.uuid
    demande.faite_le = timezone.now()
    demande.prochain_essai_le = None
    demande.save(update_fields=["etat", "uuid", "faite_le", "prochain_essai_le"])
    # La banque avait pu annoncer notre crédit avant que nous lisions sa réponse.
    alertes = Anomalie.objects.filter(paiement=paiement, genre=Genre.ANNULATION_BANQUE, constat__vu__uuid=fait.uuid)
    anomalies.rendre(alertes, motif=demande.motif)
    faire_relire(paiement)  # un remboursement peut encore être défait
    if demande.anomalie is None and paiement.statut in RESTITUABLES:
        contrepasser(paiement, motif=demande.motif)
        avancer(Geste.RESTITUER, paiement, motif=demande.motif, auteur=str(demande.approbateur))
    if demande.anomalie and demande.anomalie.resolue_le is None and demande.approbateur:
        anomalies.resoudre(
            demande.anomalie, motif=demande.motif, agent=demande.approbateur, issue=Anomalie.Issue.RESTITUEE
        )
        if demande.anomalie.genre == Genre.RELIQUAT:
            Reprise.objects.create(paiement=paiement, anomalie=demande.anomalie, montant=demande.montant)
            solder(paiement, motif=demande.motif, auteur=str(demande.approbateur))
    return demande


@transaction.atomic
def _renoncer(demande: DemandeRestitution, code: str) -> DemandeRestitution:
    """La plateforme ne rendra pas cet argent par cet ordre : une anomalie le dit, et il est de nouveau libre."""
    paiement = verrouiller(demande.paiement_id)
    demande = DemandeRestitution.objects.select_for_update(of=("self",), no_key=True).get(pk=demande.pk)
    if demande.etat == Etat.ENVOYEE:
        # Un ordre dont la réponse s'est perdue peut paraître plus tard.
        paiement.prochain_controle_le = timezone.now() + BAIL
        paiement.save(update_fields=["prochain_controle_le"])
        demande.etat = Etat.ECHOUEE
        demande.prochain_essai_le = None
        demande.save(update_fields=["etat", "prochain_essai_le"])
        anomalies.ouvrir(
            Genre.RESTITUTION_REFUSEE,
            cle=str(demande.pk),
            constat={"refus": code, "demandé": demande.montant, "débit": demande.debit},
            paiement=paiement,
        )
    return demande
