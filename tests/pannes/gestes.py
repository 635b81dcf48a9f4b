"""Les gestes qu'une histoire écrite à la main répète."""

from paiements import reprise, restitution
from paiements.models import Anomalie

Genre = Anomalie.Genre


def tout_livrer(guichet):
    while guichet.banque.courrier:
        guichet.livrer(0)


def rendre(guichet, paiement, **champs):
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0], **champs)
    restitution.decider(demande, accord=True, agent=guichet.agents[1])
    guichet.restituer()
    demande.refresh_from_db()
    return demande


def reprendre(guichet, alerte):
    parts = {imputation.pk: part for imputation, part in reprise.proposer(alerte).items()}
    return reprise.reprendre(alerte, parts, motif="vu", agent=guichet.agents[0])


def ecarts(paiement):
    return paiement.anomalies.ouvertes().filter(genre=Genre.ECART)
