"""Demander un remboursement : en centimes, une seule fois."""

import json
from decimal import Decimal

import pytest

from paiements.payzen import PlateformeInjoignable
from tests.paiements.payzen.plateforme import API, PANNES, TRANSACTION, UUID


def test_un_remboursement_demande_le_montant_en_centimes(client, repondre, plateforme):
    repondre("Transaction/CancelOrRefund", TRANSACTION | {"uuid": "0" * 32, "operationType": "CREDIT"})

    fait = client.cancel_or_refund(UUID, Decimal("45.25"), "trop-perçu")

    assert fait.is_credit
    assert json.loads(plateforme.calls[0].request.body) == {
        "uuid": UUID,
        "amount": 4525,
        "currency": "EUR",
        "resolutionMode": "AUTO",
        "comment": "trop-perçu",
    }


def test_une_annulation_avant_remise_rend_le_debit_annule(client, repondre):
    repondre("Transaction/CancelOrRefund", TRANSACTION | {"detailedStatus": "CANCELLED", "status": "UNPAID"})

    fait = client.cancel_or_refund(UUID, Decimal("45.25"), "doublon")

    assert (fait.uuid, fait.statut) == (UUID, "CANCELLED")


@pytest.mark.parametrize("panne", PANNES.values(), ids=PANNES.keys())
def test_un_remboursement_n_est_jamais_relance(client, plateforme, panne):
    plateforme.post(f"{API}/Transaction/CancelOrRefund", **panne)

    with pytest.raises(PlateformeInjoignable):
        client.cancel_or_refund(UUID, Decimal("45.25"), "trop-perçu")

    assert len(plateforme.calls) == 1
