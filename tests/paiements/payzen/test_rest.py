import base64
import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import requests
import responses

from paiements.payzen import Client, ErreurPlateforme, IdentifiantsRefuses, PlateformeInjoignable, read_notification
from paiements.payzen import rest as module_rest

API = "https://api.plateforme.example/api-payment/V4"
UUID = "5f1d0c2b7a8e4d3c9b6a1e2f3d4c5b6a"
REFERENCE = "CREANCE-2026-000123-1"

# La transaction du vecteur « calcule-ipn-authorised », telle que REST l'écrit (PROTOCOLE §6.3).
TRANSACTION = {
    "shopId": "12345678",
    "uuid": UUID,
    "status": "PAID",
    "detailedStatus": "AUTHORISED",
    "operationType": "DEBIT",
    "amount": 4525,
    "currency": "EUR",
    "creationDate": "2026-11-23T10:16:34+00:00",
    "orderDetails": {"orderId": REFERENCE, "mode": "TEST"},
    "customer": {"email": "camille@exemple.fr", "billingDetails": {"lastName": "Noël"}},
    "transactionDetails": {
        "sequenceNumber": 1,
        "mid": "5785350",
        "cardDetails": {
            "effectiveBrand": "CB",
            "pan": "497010XXXXXX0055",
            "expiryMonth": 6,
            "expiryYear": 2027,
            "legacyTransId": "a1B2c3",
            "legacyTransDate": "2026-11-23T10:15:00+00:00",
            "authorizationResponse": {"authorizationNumber": "3fe85c", "authorizationResult": "0"},
            "captureResponse": {"captureDate": None, "refundAmount": None},
        },
    },
}
COMMANDE = {"shopId": "12345678", "orderId": REFERENCE, "transactions": [TRANSACTION]}
INTROUVABLE = {"errorCode": "PSP_010", "errorMessage": "transaction not found", "shopId": "12345678"}


@pytest.fixture
def plateforme():
    with responses.RequestsMock() as plateforme:
        yield plateforme


@pytest.fixture
def client(boutique, monkeypatch):
    monkeypatch.setattr(module_rest, "ATTENTE_S", 0)
    return Client(boutique)


@pytest.fixture
def repondre(plateforme):
    """Prépare une réponse de la plateforme : HTTP 200 dans tous les cas, comme elle fait (§6.2)."""

    def repondre(service, contenu, status="SUCCESS", mode="TEST"):
        return plateforme.post(f"{API}/{service}", json={"status": status, "mode": mode, "answer": contenu})

    return repondre


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


def test_une_redirection_n_est_pas_suivie_avec_le_mot_de_passe(client, plateforme):
    plateforme.post(f"{API}/Order/Get", status=302, headers={"Location": f"{API}/Ailleurs"})
    ailleurs = plateforme.get(f"{API}/Ailleurs", json={})
    plateforme.assert_all_requests_are_fired = False

    with pytest.raises(PlateformeInjoignable):
        client.get_order(REFERENCE)

    assert ailleurs.call_count == 0


def test_une_session_prete_peut_servir_a_plusieurs_appels(boutique, repondre):
    repondre("Order/Get", COMMANDE)

    with requests.Session() as session:
        client = Client(boutique, session=session)
        faits = [client.get_order(REFERENCE) for _ in range(2)]

    assert faits[0] == faits[1]


def test_une_transaction_remise_en_banque_dit_quand(client, repondre):
    transaction = deepcopy(TRANSACTION) | {"detailedStatus": "CAPTURED"}
    transaction["transactionDetails"]["cardDetails"]["captureResponse"]["captureDate"] = "2026-11-23T23:30:00+01:00"
    repondre("Transaction/Get", transaction)

    fait = client.get_transaction(UUID)

    assert fait.is_success
    assert fait.remise_le == datetime(2026, 11, 23, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize("date", [None, 12, "hier", "2026-11-23T10:16:34", "0001-01-01T00:00:00+14:00"])
def test_une_date_sans_fuseau_ou_illisible_compte_comme_non_dite(client, repondre, date):
    repondre("Transaction/Get", TRANSACTION | {"creationDate": date})

    assert client.get_transaction(UUID).cree_le is None


def test_les_valeurs_nulles_ne_font_pas_perdre_un_fait(client, repondre):
    repondre("Order/Get", COMMANDE | {"transactions": [TRANSACTION | {"transactionDetails": None}]})

    fait = client.get_order(REFERENCE)[0]

    assert fait.is_success
    assert (fait.carte_fin, fait.trans_id, fait.resultat_banque, fait.sequence) == ("", "", "", None)


def test_un_remboursement_se_voit_a_son_operation(client, repondre):
    credit = TRANSACTION | {"uuid": "0" * 32, "operationType": "CREDIT", "amount": 1000}
    repondre("Order/Get", COMMANDE | {"transactions": [TRANSACTION, credit]})

    faits = client.get_order(REFERENCE)

    assert [(fait.is_success, fait.is_credit, fait.montant) for fait in faits] == [
        (True, False, Decimal("45.25")),
        (False, True, Decimal("10.00")),
    ]


def test_une_commande_que_la_plateforme_ne_connait_pas_n_a_aucune_transaction(client, repondre):
    repondre("Order/Get", INTROUVABLE, status="ERROR")

    assert client.get_order(REFERENCE) == []


def test_introuvable_dans_l_autre_mode_ne_dit_rien_du_notre(client, repondre):
    repondre("Order/Get", INTROUVABLE, status="ERROR", mode="PRODUCTION")

    with pytest.raises(ErreurPlateforme, match="mode"):
        client.get_order(REFERENCE)


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


def test_la_transaction_d_un_autre_uuid_est_une_erreur(client, repondre):
    repondre("Transaction/Get", TRANSACTION)

    with pytest.raises(ErreurPlateforme, match="autre transaction"):
        client.get_transaction("0" * 32)


@pytest.mark.parametrize("http", [200, 401])
def test_des_identifiants_refuses_ne_disent_rien_du_paiement(client, plateforme, http):
    contenu = {"errorCode": "INT_905", "errorMessage": "invalid"}
    plateforme.post(f"{API}/Order/Get", json={"status": "ERROR", "mode": None, "answer": contenu}, status=http)

    with pytest.raises(IdentifiantsRefuses) as erreur:
        client.get_order(REFERENCE)

    assert "testpassword" not in str(erreur.value)
    assert len(plateforme.calls) == 1


def test_une_erreur_de_la_plateforme_garde_son_code(client, repondre, plateforme):
    repondre("Order/Get", {"errorCode": "PSP_015", "errorMessage": "too many results"}, status="ERROR")

    with pytest.raises(ErreurPlateforme) as erreur:
        client.get_order(REFERENCE)

    assert (erreur.value.code, erreur.value.message) == ("PSP_015", "too many results")
    assert len(plateforme.calls) == 1


PANNES = {
    "délai": {"body": requests.ReadTimeout("trop long")},
    "connexion": {"body": requests.ConnectionError("refusée")},
    "certificat": {"body": requests.exceptions.SSLError("certificat")},
    "500": {"status": 500, "json": {"status": "SUCCESS", "mode": "TEST", "answer": COMMANDE}},
    "redirection": {"status": 302, "headers": {"Location": "https://ailleurs.example/"}, "body": ""},
    "HTML": {"body": "<!doctype html><title>Maintenance</title>"},
    "JSON coupé": {"body": '{"status":'},
    "liste": {"json": []},
    "sans contenu": {"json": {"status": "SUCCESS", "mode": "TEST", "answer": None}},
}


@pytest.mark.parametrize("panne", PANNES.values(), ids=PANNES.keys())
def test_une_lecture_en_panne_se_relance_une_fois_puis_renonce(client, plateforme, panne):
    plateforme.post(f"{API}/Order/Get", **panne)

    with pytest.raises(PlateformeInjoignable) as erreur:
        client.get_order(REFERENCE)

    assert len(plateforme.calls) == 2
    assert "testpassword" not in str(erreur.value)


def test_une_lecture_reussit_au_deuxieme_essai(client, plateforme, repondre):
    plateforme.post(f"{API}/Order/Get", status=503)
    repondre("Order/Get", COMMANDE)

    assert len(client.get_order(REFERENCE)) == 1


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

    assert client.cancel_or_refund(UUID, Decimal("45.25"), "doublon").is_cancelled_after


@pytest.mark.parametrize("panne", PANNES.values(), ids=PANNES.keys())
def test_un_remboursement_n_est_jamais_relance(client, plateforme, panne):
    plateforme.post(f"{API}/Transaction/CancelOrRefund", **panne)

    with pytest.raises(PlateformeInjoignable):
        client.cancel_or_refund(UUID, Decimal("45.25"), "trop-perçu")

    assert len(plateforme.calls) == 1


def test_l_essai_des_identifiants_attend_son_echo(client, repondre):
    repondre("Charge/SDKTest", {"value": "essai", "shopId": None})

    assert client.test() is None


def test_un_echo_faux_n_est_pas_un_essai_reussi(client, repondre):
    repondre("Charge/SDKTest", {"value": "autre"})

    with pytest.raises(ErreurPlateforme, match="écho"):
        client.test()
