"""
L'impayé : la banque reprend un débit que son porteur conteste.

Aucune notification ne l'annonce, et la plateforme ne le montre pas : un comptable le lit au journal des impayés
(PROTOCOLE §5 et §8).
"""

from django.db import transaction

from comptes.models import Utilisateur
from paiements import anomalies
from paiements.imputation import contrepasser
from paiements.models import Anomalie, DemandeRestitution, Paiement
from paiements.services import avancer, verrouiller
from paiements.statuts import Geste, Statut, is_possible
from paiements.suites import faire_relire

Genre, Issue = Anomalie.Genre, Anomalie.Issue


class ImpayeImpossible(Exception):
    """Ce paiement ne peut être impayé, ou cet impayé ne s'annule pas."""


def is_constatable(paiement: Paiement) -> bool:
    """Encaissé, et pas déjà repris ; rejeté par un impayé qu'on a annulé, il peut l'être de nouveau."""
    annule = paiement.anomalies.filter(genre=Genre.IMPAYE).exists() and not paiement.is_impaye
    return is_possible(Geste.REJETER, paiement.statut) or (paiement.statut == Statut.REJETE and annule)


@transaction.atomic
def constater(paiement: Paiement, *, motif: str, agent: Utilisateur) -> Paiement:
    """
    La banque a repris l'argent : les dettes remontent d'autant, la démarche le dit à l'allocataire.

    :raises ImpayeImpossible: si le paiement n'est pas encaissé, ou si l'argent est déjà reparti ou va l'être
    """
    paiement = verrouiller(paiement.pk)
    if not is_constatable(paiement):
        raise ImpayeImpossible(f"le paiement est {paiement.get_statut_display()}")
    if paiement.restitutions.filter(debit=paiement.uuid, etat__in=DemandeRestitution.EN_COURS).exists():
        raise ImpayeImpossible("ce débit va être rendu")
    if paiement.statut != Statut.REJETE:
        contrepasser(paiement, motif=motif)
    faire_relire(paiement)  # ce que la banque tient d'autres débits se suit encore
    anomalies.rendre(Anomalie.objects.for_debit(paiement, paiement.uuid or ""), motif=motif)
    anomalies.rendre(paiement.anomalies.filter(genre=Genre.ECART), motif=motif, issue=Issue.CADUQUE)
    anomalies.ouvrir(
        Genre.IMPAYE,
        cle=f"{paiement.reference}:{paiement.anomalies.filter(genre=Genre.IMPAYE).count()}",
        constat={"vu": "impayé", "motif": motif},
        paiement=paiement,
    )
    return avancer(Geste.REJETER, paiement, motif=motif, auteur=str(agent))


def is_annulable(anomalie: Anomalie) -> bool:
    """Un impayé enregistré par erreur, ou que la Caf a contesté avec succès, même s'il est mis de côté."""
    return anomalie.genre == Genre.IMPAYE and anomalie.issue in ("", Issue.ECARTEE)


@transaction.atomic
def annuler(anomalie: Anomalie, *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Cet impayé n'a pas eu lieu, ou la banque a rendu l'argent. Les dettes restent rouvertes : l'allocataire l'a lu.

    La plateforme est relue aussitôt ; ce qu'elle tient devient un écart, qu'un agent fait rendre (`rapprochement`).

    :raises ImpayeImpossible: si ce n'est pas un impayé, ou s'il est déjà annulé
    """
    if anomalie.paiement_id is None:
        raise ImpayeImpossible("ce n'est pas un impayé")
    paiement = verrouiller(anomalie.paiement_id)
    anomalie.refresh_from_db()
    if not is_annulable(anomalie):
        raise ImpayeImpossible("ce n'est pas un impayé, ou il est déjà annulé")
    anomalies.resoudre(anomalie, motif=motif, agent=agent, issue=Issue.CADUQUE, rouvrir=True)
    faire_relire(paiement)
    return paiement
