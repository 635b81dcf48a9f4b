"""Les gestes qu'une histoire écrite à la main répète."""

from contextlib import contextmanager

from paiements.models import Anomalie
from paiements.retours import reprise, restitution

Genre = Anomalie.Genre


def tout_livrer(guichet):
    while guichet.banque.courrier:
        guichet.livrer(0)


def approuver(guichet, paiement, **champs):
    """Un ordre de restitution, demandé par l'un, approuvé par l'autre, pas encore parti."""
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0], **champs)
    return restitution.decider(demande, accord=True, agent=guichet.agents[1])


def rendre(guichet, paiement, **champs):
    demande = approuver(guichet, paiement, **champs)
    guichet.restituer()
    demande.refresh_from_db()
    return demande


@contextmanager
def pas_encore_publie(guichet):
    """`Order/Get` ne dit encore que le premier débit (PROTOCOLE §12)."""
    publiees = guichet.banque.transactions
    guichet.banque.transactions = publiees[:1]
    yield
    guichet.banque.transactions = publiees


def reprendre(guichet, alerte):
    parts = {dette.pk: part for dette, part in reprise.proposer(alerte.paiement).items()}
    return reprise.reprendre(alerte, parts, motif="vu", agent=guichet.agents[0])


def ecarts(paiement):
    return paiement.anomalies.ouvertes().filter(genre=Genre.ECART)
