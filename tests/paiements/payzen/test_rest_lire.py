"""Lire une commande de la plateforme : ses transactions, ou rien, ou une erreur ; jamais un à-peu-près."""

import base64
import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from paiements.payzen import ErreurPlateforme, read_notification
from tests.paiements.payzen.plateforme import COMMANDE, INTROUVABLE, REFERENCE, TRANSACTION, UUID


def test_une_commande_donne_le_meme_fait_que_sa_notification(client, repondre, champs_de, signer, boutiques):
    repondre("Order/Get", COMMANDE)
    notifie = read_notification(signer(champs_de("calcule-ipn-authorised")), boutiques).fait

    assert client.get_order(REFERENCE) == [replace(notifie, source="REST")]


def test_l_appel_porte_la_boutique_son_mot_de_passe_et_la_reference(client, repondre, plateforme):
    repondre("Order/Get", COMMANDE)

    client.get_order(REFERENCE)

    appel = plateforme.calls[0].request
    assert appel.headers["Authorization"] == "Basic " + base64.b64encode(b"12345678:testpassword_exemple").decode()
    assert json.loads(appel.body) == {"orderId": REFERENCE}
    assert appel.req_kwargs["timeout"] == 8.0
    assert appel.req_kwargs["verify"]  # vrai, ou le chemin des autorités du système


def test_une_transaction_remise_en_banque_dit_quand(client, repondre):
    transaction = deepcopy(TRANSACTION) | {"detailedStatus": "CAPTURED"}
    transaction["transactionDetails"]["cardDetails"]["captureResponse"]["captureDate"] = "2026-11-23T23:30:00+01:00"
    repondre("Order/Get", COMMANDE | {"transactions": [transaction]})

    [fait] = client.get_order(REFERENCE)

    assert fait.is_success
    assert fait.remise_le == datetime(2026, 11, 23, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize("date", [None, 12, "hier", "2026-11-23T10:16:34", "0001-01-01T00:00:00+14:00"])
def test_une_date_sans_fuseau_ou_illisible_compte_comme_non_dite(client, repondre, date):
    repondre("Order/Get", COMMANDE | {"transactions": [TRANSACTION | {"creationDate": date}]})

    assert client.get_order(REFERENCE)[0].creee_le is None


def test_les_valeurs_nulles_ne_font_pas_perdre_un_fait(client, repondre):
    repondre("Order/Get", COMMANDE | {"transactions": [TRANSACTION | {"transactionDetails": None}]})

    fait = client.get_order(REFERENCE)[0]

    assert fait.is_success
    assert (fait.carte_fin, fait.trans_id, fait.autorisation, fait.effectif) == ("", "", "", None)


def test_le_montant_et_la_devise_effectifs_se_lisent(client, repondre):
    details = TRANSACTION["transactionDetails"] | {"effectiveAmount": 300, "effectiveCurrency": "978"}
    repondre("Order/Get", COMMANDE | {"transactions": [TRANSACTION | {"transactionDetails": details}]})

    [fait] = client.get_order(REFERENCE)

    assert (fait.effectif, fait.devise_effective) == (Decimal("3.00"), "EUR")


def test_un_remboursement_se_voit_a_son_operation(client, repondre):
    credit = TRANSACTION | {"uuid": "0" * 32, "operationType": "CREDIT", "amount": 1000}
    repondre("Order/Get", COMMANDE | {"transactions": [TRANSACTION, credit]})

    faits = client.get_order(REFERENCE)

    assert [(fait.is_success, fait.is_credit, fait.montant) for fait in faits] == [
        (True, False, Decimal("45.25")),
        (False, True, Decimal("10.00")),
    ]


@pytest.mark.parametrize(("parent", "attendu"), [(UUID.upper(), UUID), (None, UUID)])
def test_un_credit_dit_le_debit_qu_il_rembourse_ou_n_en_a_qu_un_possible(client, repondre, parent, attendu):
    credit = TRANSACTION | {
        "uuid": "0" * 32,
        "operationType": "CREDIT",
        "transactionDetails": {"parentTransactionUuid": parent},
    }
    repondre("Order/Get", COMMANDE | {"transactions": [credit, TRANSACTION]})

    assert [fait.parent for fait in client.get_order(REFERENCE)] == [attendu, ""]


def test_entre_deux_debits_la_machine_ne_devine_pas_lequel_est_rembourse(client, repondre):
    autre = TRANSACTION | {"uuid": "d" * 32}
    credit = TRANSACTION | {"uuid": "0" * 32, "operationType": "CREDIT"}
    repondre("Order/Get", COMMANDE | {"transactions": [TRANSACTION, autre, credit]})

    assert {fait.parent for fait in client.get_order(REFERENCE)} == {""}


def test_une_commande_que_la_plateforme_ne_connait_pas_n_a_aucune_transaction(client, repondre):
    repondre("Order/Get", INTROUVABLE, status="ERROR")

    assert client.get_order(REFERENCE) == []


def test_introuvable_dans_l_autre_mode_ne_dit_rien_du_notre(client, repondre):
    repondre("Order/Get", INTROUVABLE, status="ERROR", mode="PRODUCTION")

    with pytest.raises(ErreurPlateforme, match="mode"):
        client.get_order(REFERENCE)


def test_la_commande_n_a_pas_a_redire_le_mode_de_l_enveloppe(client, repondre):
    transaction = TRANSACTION | {"orderDetails": {"orderId": REFERENCE}}
    repondre("Order/Get", COMMANDE | {"transactions": [transaction]})

    assert len(client.get_order(REFERENCE)) == 1


@pytest.mark.parametrize(
    ("contenu", "mode"),
    [
        (COMMANDE, "PRODUCTION"),
        (COMMANDE, None),
        (COMMANDE | {"shopId": "87654321"}, "TEST"),
        (COMMANDE | {"transactions": None}, "TEST"),
        (COMMANDE | {"transactions": ["texte"]}, "TEST"),
        (COMMANDE | {"transactions": [TRANSACTION | {"shopId": "87654321"}]}, "TEST"),
        (COMMANDE | {"transactions": [TRANSACTION | {"uuid": None}]}, "TEST"),
        (COMMANDE | {"transactions": [TRANSACTION | {"amount": 45.25}]}, "TEST"),
        (COMMANDE | {"transactions": [TRANSACTION | {"amount": True}]}, "TEST"),
        (COMMANDE | {"transactions": [TRANSACTION | {"orderDetails": {"orderId": "P-2", "mode": "TEST"}}]}, "TEST"),
        (
            COMMANDE
            | {"transactions": [TRANSACTION | {"orderDetails": {"orderId": REFERENCE, "mode": "PRODUCTION"}}]},
            "TEST",
        ),
    ],
)
def test_une_reponse_qui_n_est_pas_celle_qu_on_attend_est_une_erreur(client, repondre, contenu, mode):
    repondre("Order/Get", contenu, mode=mode)

    with pytest.raises(ErreurPlateforme) as erreur:
        client.get_order(REFERENCE)

    assert erreur.value.code in ("reponse_inattendue", "autre_mode", "autre_boutique")
