"""Un message authentique que rien n'attendait ne change rien à l'argent : il va à un agent, une fois."""

from decimal import Decimal

import pytest
from django.db import connection

from paiements.models import Anomalie, MessagePayzen, TransactionPayzen
from paiements.statuts import Statut
from tests.factories import PaiementFactory
from tests.paiements.conftest import couper_la_base

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


@pytest.mark.parametrize(
    ("champs", "genre"),
    [
        ({"vads_amount": "11999"}, Genre.MONTANT_DIFFERENT),
        ({"vads_currency": "840"}, Genre.MONTANT_DIFFERENT),
        ({"vads_trans_id": "zzzzzz"}, Genre.STATUT_INATTENDU),
        ({"vads_trans_id": ""}, Genre.STATUT_INATTENDU),
        ({"vads_trans_date": "20200101000000"}, Genre.STATUT_INATTENDU),
        ({"vads_trans_status": "NOUVEAU_STATUT"}, Genre.STATUT_INATTENDU),
        ({"vads_trans_status": "ACCEPTED"}, Genre.STATUT_INATTENDU),
    ],
)
def test_un_message_authentique_mais_inattendu_devient_une_anomalie(notifier, champs, genre):
    paiement = PaiementFactory()

    reponse = notifier(paiement, "AUTHORISED", **champs)

    paiement.refresh_from_db()
    assert (reponse.status_code, paiement.statut) == (200, Statut.EN_ATTENTE)
    assert paiement.anomalies.get().genre == genre


def test_un_debit_d_un_autre_montant_est_tenu_et_montre(notifier):
    paiement = PaiementFactory(montant=Decimal("120.00"))

    notifier(paiement, "AUTHORISED", vads_amount="15000")

    anomalie = paiement.anomalies.get()
    assert anomalie.transaction.compte.tenu == Decimal("150.00")
    assert (paiement.retenu, anomalie.situation) == (Decimal("150.00"), "150.00")


def test_une_somme_demesuree_laisse_sa_trace(notifier):
    paiement = PaiementFactory()

    reponse = notifier(paiement, "AUTHORISED", vads_amount="999999999999")

    paiement.refresh_from_db()
    assert (reponse.status_code, paiement.statut) == (200, Statut.EN_ATTENTE)
    assert Anomalie.objects.get().genre == Genre.REPONSE_INATTENDUE


def test_une_reference_inconnue_est_confiee_a_un_agent_une_seule_fois(notifier):
    paiement = PaiementFactory()

    reponses = [notifier(paiement, "AUTHORISED", vads_order_id="P-INCONNUE") for _ in range(2)]

    anomalie = Anomalie.objects.get()
    assert [reponse.status_code for reponse in reponses] == [200, 200]
    assert (anomalie.genre, anomalie.caf) == (Genre.REFERENCE_INCONNUE, paiement.caf)


def test_un_deuxieme_debit_ne_remplace_pas_le_premier(notifier):
    paiement = PaiementFactory(accepte=True)

    notifier(paiement, "AUTHORISED", vads_trans_uuid="d" * 32, vads_trans_id="900001")

    anomalie = paiement.anomalies.get()
    assert (anomalie.genre, paiement.retenu) == (Genre.DOUBLE_PAIEMENT, paiement.montant)
    assert anomalie.transaction_id == "d" * 32


@pytest.mark.parametrize("statut", ["EXPIRED", "ERROR", "AUTHORISED_TO_VALIDATE"])
def test_ce_que_la_banque_n_a_pas_decide_se_montre_a_un_agent(notifier, statut):
    paiement = PaiementFactory()

    notifier(paiement, statut)

    assert paiement.anomalies.get().genre == Genre.STATUT_INATTENDU


@pytest.mark.parametrize("ailleurs", ["un autre paiement", "une référence inconnue"])
def test_une_transaction_dite_sous_une_autre_reference_ne_change_rien_et_va_a_un_agent(notifier, ailleurs):
    premier, second = PaiementFactory(), PaiementFactory()
    notifier(premier, "AUTHORISED")
    premier.refresh_from_db()
    reference = second.reference if ailleurs == "un autre paiement" else "P-INCONNUE"

    reponses = [
        notifier(second, statut, vads_trans_uuid=premier.debit_id, vads_order_id=reference)
        for statut in ("AUTHORISED", "AUTHORISED", "CANCELLED")
    ]

    premier.refresh_from_db()
    second.refresh_from_db()
    assert {reponse.status_code for reponse in reponses} == {200}
    assert (premier.statut, second.statut, premier.debit.statut) == (
        Statut.ACCEPTE,
        Statut.EN_ATTENTE,
        "AUTHORISED",
    )
    assert TransactionPayzen.objects.get().reference == premier.reference
    assert Anomalie.objects.get().genre == Genre.REPONSE_INATTENDUE
    assert MessagePayzen.objects.filter(sort="ECARTE").count() == 3


def test_un_message_sans_montant_lisible_est_garde_pour_un_agent_une_seule_fois(notifier):
    paiement = PaiementFactory()

    reponses = [notifier(paiement, "AUTHORISED", vads_amount="beaucoup") for _ in range(2)]

    assert [reponse.status_code for reponse in reponses] == [200, 200]
    assert paiement.anomalies.get().genre == Genre.REPONSE_INATTENDUE
    assert paiement.messages.get().sort == MessagePayzen.Sort.ECARTE


def test_un_message_incomplet_se_rejoue_si_la_base_manque(notifier):
    paiement = PaiementFactory()

    with connection.execute_wrapper(couper_la_base):
        reponse = notifier(paiement, "AUTHORISED", vads_amount=None)

    assert reponse.status_code == 503
    assert notifier(paiement, "AUTHORISED", vads_amount=None).status_code == 200
