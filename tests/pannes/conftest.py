"""Le guichet conduit à la main, et les départs communs des histoires : ce que la machine a trouvé, réduit et nommé."""

import pytest

from dettes.models import Dette
from paiements.models import Anomalie, Paiement
from paiements.payzen import rest
from paiements.retours import restitution
from paiements.statuts import Statut
from paiements.verification import interroger
from tests.factories import AgentFactory, PaiementFactory
from tests.pannes.banque import Banque, Session
from tests.pannes.gestes import tout_livrer
from tests.pannes.guichet import Guichet

Genre = Anomalie.Genre


@pytest.fixture
def guichet(monkeypatch):
    """La machine, conduite à la main."""
    monkeypatch.setattr(rest, "ATTENTE_S", 0)
    guichet = Guichet()
    try:
        yield guichet
    finally:
        guichet.pile.close()


@pytest.fixture
def accepte(guichet):
    """Un paiement accepté de 250 €, et son débit à la banque."""
    guichet.payer_d_un_trait(2, globale=False, part=1)
    return Paiement.objects.get(), guichet.banque.transactions[0]


@pytest.fixture
def impute(guichet, accepte):
    """Un paiement de 250 € vérifié, imputé, et son débit remis en banque."""
    paiement, debit = accepte
    guichet.banque.remettre(debit)
    guichet.controler()
    guichet.imputer()
    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    return paiement, debit


@pytest.fixture
def reliquat(guichet, accepte):
    """Le même, imputé alors que la Caf avait annulé la dette : tout est resté sans dette."""
    paiement, debit = accepte
    Dette.objects.filter(lignes__demarche=paiement.demarche).update(situation="ANNULEE")
    guichet.controler()
    guichet.imputer()
    return paiement, debit, paiement.anomalies.get(genre=Genre.RELIQUAT)


@pytest.fixture
def double(guichet, impute):
    """Le paiement imputé, et un deuxième débit de la même démarche, remis en banque."""
    copie = guichet.banque.dupliquer(impute[1])
    guichet.banque.remettre(copie)
    return copie


@pytest.fixture
def represente(guichet, impute, double):
    """Le double a échoué, puis la banque l'a représenté : elle tient deux débits, et personne n'en retient un."""
    tout_livrer(guichet)
    guichet.banque.changer(double, "CAPTURE_FAILED")
    tout_livrer(guichet)
    guichet.banque.changer(double, "CAPTURED")
    tout_livrer(guichet)
    guichet.controler()
    interroger.conclure(impute[0].pk, interroger.lire_la_plateforme(impute[0]))
    return double


@pytest.fixture
def agents():
    return [AgentFactory().utilisateur, AgentFactory(role="COMPTABLE").utilisateur, AgentFactory().utilisateur]


@pytest.fixture
def demande(agents):
    """La restitution demandée d'un paiement imputé."""
    return restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=agents[0])


@pytest.fixture
def banque_de():
    """La banque d'un paiement, et le débit qu'elle en a fait."""

    def ouvrir(paiement, statut):
        banque = Banque(paiement.boutique)
        champs = {"vads_order_id": paiement.reference, "vads_trans_id": paiement.trans_id, "vads_amount": "12000"}
        champs |= {"vads_trans_date": paiement.cree_le.strftime("%Y%m%d%H%M%S")}
        debit = banque.debiter(Session(champs), statut)
        debit.uuid = paiement.debit_id or debit.uuid
        return banque, debit

    return ouvrir
