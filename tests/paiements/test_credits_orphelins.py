"""Une notification ne nomme jamais le débit qu'un crédit rembourse : la plateforme, interrogée, le dit."""

from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import timezone

from dettes.models import Dette
from paiements.file.tenue import DejaResolue
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Paiement, TransactionPayzen
from paiements.payzen import to_centimes
from paiements.retours import reprise
from paiements.statuts import Statut
from paiements.surveillance import invariants
from paiements.verification import interroger
from tests.factories import FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre
CREDIT = {"operation": "CREDIT", "uuid": "c" * 32, "trans_id": "900001"}


def montrer(plateforme, paiement, *transactions):
    """La plateforme rend ces transactions, dans cet ordre, sans dire quel débit un crédit rembourse."""
    commun = {
        "shopId": paiement.boutique,
        "amount": to_centimes(paiement.montant),
        "currency": "EUR",
        "detailedStatus": "CAPTURED",
        "orderDetails": {"orderId": paiement.reference, "mode": paiement.mode},
    }
    lues = [
        commun
        | {"uuid": uuid, "operationType": operation}
        | {"transactionDetails": {"cardDetails": {"legacyTransId": trans_id}}}
        for operation, uuid, trans_id in transactions
    ]
    reponse = {"shopId": paiement.boutique, "transactions": lues}
    plateforme.serveur.post(
        f"{settings.PAYZEN_URL_API}Order/Get", json={"status": "SUCCESS", "mode": paiement.mode, "answer": reponse}
    )


def test_un_credit_sans_debit_fait_aussitot_interroger_la_plateforme(notifier):
    paiement = PaiementFactory(impute=True)
    repondre(paiement, FaitFactory(paiement=paiement, source="REST"))
    credit = {"vads_operation_type": "CREDIT", "vads_trans_uuid": "c" * 32, "vads_trans_id": "900002"}
    rien_n_est_du = interroger.reserver(10)

    notifier(paiement, "AUTHORISED", **credit)
    notifier(paiement, "CAPTURED", **credit)

    paiement.refresh_from_db()
    anomalie = paiement.anomalies.get()
    assert (paiement.statut, Dette.objects.get().solde) == (Statut.IMPUTE, 780)
    assert (anomalie.genre, anomalie.transaction_id) == (Genre.ANNULATION_BANQUE, "c" * 32)
    assert (rien_n_est_du, interroger.reserver(10)) == ([], [paiement.pk])


def test_un_remboursement_partiel_sans_debit_attend_un_agent(notifier):
    paiement = PaiementFactory(impute=True)

    notifier(paiement, "AUTHORISED", vads_operation_type="CREDIT", vads_trans_uuid="c" * 32, vads_amount="5000")

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.solde.is_en_l_air) == (Statut.IMPUTE, True)
    assert paiement.anomalies.get().situation == "50.00"


def test_tant_qu_un_credit_n_a_pas_son_debit_rien_ne_se_verifie():
    paiement = PaiementFactory(accepte=True)
    debit = FaitFactory(paiement=paiement, source="REST")

    repondre(paiement, debit, FaitFactory(paiement=paiement, montant=Decimal(5), source="REST", **CREDIT))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE


def test_un_credit_appris_apres_la_verification_empeche_d_imputer(agent):
    """La plateforme ne dit jamais son débit : rien ne s'impute avant qu'un agent le dise, puis admette le reste."""
    paiement = PaiementFactory(verifie=True)
    dire(paiement, "AUTHORISED", montant=Decimal(50), **CREDIT)
    imputer_un_lot()
    paiement.refresh_from_db()
    attend = paiement.statut, paiement.solde.impute

    reprise.rattacher(paiement.anomalies.get(), paiement.debit, motif="vu au Back Office", agent=agent)
    Paiement.objects.update(imputer_le=timezone.now())
    imputer_un_lot()
    attend += (Paiement.objects.get().solde.impute,)
    reprise.admettre(paiement.anomalies.ouvertes().get(), motif="70 € au Back Office", agent=agent)
    imputer_un_lot()

    paiement.refresh_from_db()
    assert attend == (Statut.VERIFIE, 0, 0)
    assert (paiement.statut, paiement.solde.tenu, paiement.solde.impute) == (Statut.IMPUTE, 70, 70)
    assert not paiement.anomalies.ouvertes().exists()
    assert not list(invariants.verifier())


@pytest.mark.parametrize("faute", ["un autre paiement", "un crédit", "déjà dit"])
def test_un_credit_ne_se_rattache_qu_une_fois_et_a_un_debit_de_son_paiement(agent, faute):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", montant=Decimal(50), **CREDIT)
    anomalie = paiement.anomalies.get()
    debits = {
        "un autre paiement": PaiementFactory(impute=True).debit,
        "un crédit": paiement.transactions.get(pk="c" * 32),
        "déjà dit": paiement.debit,
    }
    if faute == "déjà dit":
        TransactionPayzen.objects.filter(pk="c" * 32).update(parent=paiement.debit)

    with pytest.raises((reprise.RepriseImpossible, DejaResolue)):
        reprise.rattacher(anomalie, debits[faute], motif="vu", agent=agent)


@pytest.mark.parametrize("debits", [1, 2])
def test_un_credit_dont_la_plateforme_tait_le_debit_ne_se_tranche_que_s_il_n_y_en_a_qu_un(plateforme, debits):
    paiement = PaiementFactory(impute=True)
    siens = [("DEBIT", paiement.debit_id, paiement.trans_id), ("DEBIT", "d" * 32, "900009")]
    montrer(plateforme, paiement, *siens[:debits], ("CREDIT", "c" * 32, "900001"))

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == (Statut.RESTITUE if debits == 1 else Statut.IMPUTE)
    assert paiement.anomalies.ouvertes().filter(genre=Genre.ANNULATION_BANQUE).exists() == (debits == 2)


@pytest.mark.parametrize("ordre", [("DEBIT", "CREDIT"), ("CREDIT", "DEBIT")])
def test_l_ordre_de_la_plateforme_n_importe_pas(plateforme, ordre):
    paiement = PaiementFactory()
    transactions = {"DEBIT": ("a" * 32, paiement.trans_id), "CREDIT": ("c" * 32, "900001")}
    montrer(plateforme, paiement, *((operation, *transactions[operation]) for operation in ordre))

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.transactions.get(operation="CREDIT").parent_id == "a" * 32
    assert (paiement.solde.tenu, paiement.solde.is_en_l_air) == (0, False)
    assert not paiement.anomalies.ouvertes().exists()


def test_un_credit_notifie_avant_son_debit_pese_sur_lui_des_qu_on_le_sait():
    """Quel que soit l'ordre, la fin est la même : le débit est rendu, les dettes n'ont pas bougé."""
    avant, apres = PaiementFactory(), PaiementFactory()
    for paiement, ordre in ((avant, "credit debit"), (apres, "debit credit")):
        for quoi in ordre.split():
            dire(paiement, "AUTHORISED", **({**CREDIT, "uuid": f"{paiement.pk:032x}"} if quoi == "credit" else {}))
        debit = FaitFactory(paiement=paiement, source="REST")
        credit = FaitFactory(
            paiement=paiement, source="REST", parent=debit.uuid, **CREDIT | {"uuid": f"{paiement.pk:032x}"}
        )
        repondre(paiement, debit, credit)
        paiement.refresh_from_db()

    assert (avant.statut, avant.solde.tenu) == (apres.statut, apres.solde.tenu) == (Statut.RESTITUE, 0)
    assert not avant.anomalies.ouvertes().exists()
    assert set(Dette.objects.values_list("solde", flat=True)) == {900}
