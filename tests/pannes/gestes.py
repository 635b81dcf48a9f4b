"""Les gestes qu'une histoire écrite à la main répète."""

from contextlib import contextmanager

from paiements.file.tenue import mettre_de_cote
from paiements.models import Anomalie, Paiement
from paiements.retours import reprise, restitution
from paiements.surveillance import invariants
from paiements.verification import interroger

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
    paiement = Paiement.objects.get(pk=alerte.paiement_id)
    parts = {dette.pk: part for dette, part in reprise.proposer(paiement).items()}
    return reprise.reprendre(alerte, parts, motif="vu", agent=guichet.agents[0])


def ecarts(paiement):
    return paiement.anomalies.ouvertes().filter(genre=Genre.ECART)


def ecarter(guichet, anomalie):
    return mettre_de_cote(anomalie, motif="vu", agent=guichet.agents[0])


def lire(paiement):
    """Une lecture de plus, à l'instant, que l'on conclut."""
    return interroger.conclure(paiement.pk, interroger.lire_la_plateforme(paiement))


def trancher(guichet, paiement, verdict):
    """L'agent a lu au Back Office ce que la banque tient de la transaction dont elle dit deux choses."""
    douteuse = paiement.anomalies.ouvertes().get(genre=Genre.STATUT_INATTENDU)
    reprise.trancher(douteuse, verdict, motif="lu au Back Office", agent=guichet.agents[0])
    paiement.refresh_from_db()


def verifier_et_imputer(guichet, paiement):
    guichet.controler()
    guichet.imputer()
    paiement.refresh_from_db()


def verifier_les_invariants():
    assert not list(invariants.verifier())
