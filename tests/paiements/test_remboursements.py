"""Les crédits dont la banque parle : en attente, partis, défaits ; chacun compte une fois, ou plus du tout."""

from decimal import Decimal

import pytest

from dettes.models import Dette
from paiements import controle, invariants, reprise, restitution
from paiements.models import Anomalie
from paiements.statuts import Statut
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

Genre, Issue = Anomalie.Genre, Anomalie.Issue


@pytest.fixture
def paiement():
    return PaiementFactory(impute=True)


def crediter(paiement, *statuts, montant="120.00", uuid="c" * 32):
    """Ce que PayZen notifie d'un crédit, puis ce qu'il en répond, le débit nommé."""
    debit = FaitFactory(paiement=paiement, statut="CAPTURED", source="REST")
    for statut in statuts:
        credit = {"operation": "CREDIT", "uuid": uuid, "montant": Decimal(montant), "trans_id": "900001"}
        dire(paiement, statut, **credit)
        repondre(paiement, debit, FaitFactory(paiement=paiement, statut=statut, parent=paiement.uuid, **credit))
    paiement.refresh_from_db()


def reprendre(alerte, agent):
    parts = {imputation.pk: part for imputation, part in reprise.proposer(alerte).items()}
    reprise.reprendre(alerte, parts, motif="vu", agent=agent)


@pytest.mark.parametrize("attente", ["UNDER_VERIFICATION", "INITIAL", "REFUND_TO_RETRY"])
def test_un_credit_d_abord_en_attente_compte_une_fois_parti(paiement, attente):
    crediter(paiement, attente)
    avant = paiement.statut

    crediter(paiement, "AUTHORISED", "CAPTURED")

    assert (avant, paiement.statut) == (Statut.IMPUTE, Statut.RESTITUE)
    assert [etape.geste for etape in paiement.etapes.order_by("pk")][-1] == "restituer"
    assert paiement.anomalies.get().issue == Issue.RESTITUEE
    assert not list(invariants.verifier())


@pytest.mark.parametrize("fin", ["CANCELLED", "CAPTURE_FAILED", "REFUSED", "EXPIRED"])
def test_un_credit_compte_puis_defait_laisse_l_argent_a_un_agent(paiement, fin):
    crediter(paiement, "AUTHORISED", fin, fin)

    anomalie = paiement.anomalies.ouvertes().get()

    assert (anomalie.genre, anomalie.montant) == (Genre.ANNULATION_BANQUE, 120)
    assert reprise.get_part(anomalie) == 0
    assert Dette.objects.get().solde == 900
    assert restitution.demander(
        paiement, motif="à rendre encore", agent=AgentFactory().utilisateur, anomalie=anomalie
    ).debit == (paiement.uuid)


@pytest.mark.parametrize("ordre", [("CANCELLED", "AUTHORISED"), ("CANCELLED",), ("UNDER_VERIFICATION", "REFUSED")])
def test_un_credit_qui_n_est_jamais_parti_ne_change_rien(paiement, ordre):
    for statut in ordre:
        dire(paiement, statut, operation="CREDIT", uuid="c" * 32, trans_id="900001")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.anomalies.exists()


def test_un_credit_partiel_defait_avant_d_etre_repris_ferme_son_alerte(paiement):
    crediter(paiement, "AUTHORISED", montant="20.00")

    crediter(paiement, "CANCELLED", montant="20.00")

    alerte = paiement.anomalies.get()
    assert (alerte.issue, alerte.montant) == (Issue.CADUQUE, 0)
    assert paiement.net == 120


def test_un_credit_partiel_repris_puis_defait_est_de_nouveau_a_un_agent(paiement):
    crediter(paiement, "AUTHORISED", montant="20.00")
    reprendre(paiement.anomalies.get(), AgentFactory().utilisateur)

    crediter(paiement, "CANCELLED", montant="20.00")

    assert paiement.anomalies.ouvertes().get().montant == 20
    assert Dette.objects.get().solde == 800
    assert not list(invariants.verifier())


def test_un_credit_que_nous_avons_demande_puis_defait_est_a_un_agent(paiement):
    agent, comptable = AgentFactory().utilisateur, AgentFactory(role="COMPTABLE").utilisateur
    demande = restitution.decider(
        restitution.demander(paiement, motif="erreur", agent=agent), accord=True, agent=comptable
    )
    restitution.reserver(10)
    demande.etat, demande.uuid = "ENVOYEE", "c" * 32
    demande.save()

    crediter(paiement, "CANCELLED")

    assert paiement.anomalies.get().montant == 120


@pytest.mark.parametrize("debits", [1, 2])
def test_un_credit_dont_la_plateforme_tait_le_debit_ne_se_tranche_que_s_il_n_y_en_a_qu_un(paiement, debits):
    faits = [FaitFactory(paiement=paiement, statut="CAPTURED", source="REST")]
    if debits == 2:
        faits.append(FaitFactory(paiement=paiement, statut="CAPTURED", uuid="d" * 32, trans_id="900009"))
    credit = FaitFactory(paiement=paiement, operation="CREDIT", uuid="c" * 32, trans_id="900001", source="REST")

    repondre(paiement, *faits, credit)

    paiement.refresh_from_db()
    assert paiement.statut == (Statut.RESTITUE if debits == 1 else Statut.IMPUTE)
    assert paiement.anomalies.ouvertes().filter(genre=Genre.ANNULATION_BANQUE).exists() == (debits == 2)


@pytest.mark.parametrize("ordre", [("DEBIT", "CREDIT"), ("CREDIT", "DEBIT")])
def test_l_ordre_de_la_plateforme_n_importe_pas(plateforme, settings, ordre):
    paiement = PaiementFactory()
    transactions = {
        "DEBIT": {"uuid": "a" * 32, "detailedStatus": "CAPTURED", "operationType": "DEBIT"},
        "CREDIT": {"uuid": "c" * 32, "detailedStatus": "CAPTURED", "operationType": "CREDIT"},
    }
    commun = {
        "shopId": paiement.boutique,
        "amount": 12000,
        "currency": "EUR",
        "orderDetails": {"orderId": paiement.reference, "mode": paiement.mode},
    }
    cartes = {
        "DEBIT": {"transactionDetails": {"cardDetails": {"legacyTransId": paiement.trans_id}}},
        "CREDIT": {"transactionDetails": {"cardDetails": {"legacyTransId": "900001"}}},
    }
    reponse = {"shopId": paiement.boutique, "transactions": [transactions[o] | commun | cartes[o] for o in ordre]}
    plateforme.serveur.post(
        f"{settings.PAYZEN_URL_API}Order/Get", json={"status": "SUCCESS", "mode": paiement.mode, "answer": reponse}
    )

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.RESTITUE
    assert not paiement.anomalies.ouvertes().exists()
