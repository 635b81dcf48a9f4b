"""L'API REST V4 : HTTP 200 toujours, l'issue dans l'enveloppe."""

import pytest

from tests.simulateur_payzen.plateforme import MOTS_DE_PASSE, SITE, poster


def lire_code(reponse):
    """Le code d'erreur d'une réponse, ou rien."""
    return reponse["answer"].get("errorCode") if reponse["status"] == "ERROR" else None


@pytest.fixture
def autorisee(simulateur):
    """Une transaction de 45,25 €, pas encore remise."""
    return simulateur.payer()


@pytest.fixture
def remise(simulateur, autorisee):
    """La même, remise en banque."""
    simulateur.faire(autorisee["uuid"], "remettre")
    return autorisee


def test_les_identifiants_s_eprouvent(simulateur):
    reponse = simulateur.rest("Charge/SDKTest", {"value": "bonjour"})

    assert (reponse["status"], reponse["mode"]) == ("SUCCESS", "TEST")
    assert reponse["answer"]["value"] == "bonjour"


def test_le_mot_de_passe_choisit_le_mode(simulateur, autorisee):
    en_production = simulateur.rest("Order/Get", {"orderId": autorisee["order_id"]}, "PRODUCTION")

    assert (en_production["mode"], lire_code(en_production)) == ("PRODUCTION", "PSP_010")


@pytest.mark.parametrize(
    "identite", [None, (SITE, "faux"), ("00000000", MOTS_DE_PASSE["TEST"]), (SITE, ""), ("é", "à")]
)
def test_un_mauvais_mot_de_passe_repond_200_et_int_905(simulateur, identite):
    entete = {"Authorization": "Basic %%%"} if identite is None else None
    auth = tuple(mot.encode() for mot in identite) if identite else None

    reponse = poster(f"{simulateur.base}/api-payment/V4/Charge/SDKTest", json={}, auth=auth, headers=entete)

    assert (reponse.status_code, lire_code(reponse.json())) == (200, "INT_905")


@pytest.mark.parametrize("corps", [b"{", b"[]", b'{"orderId": 3}', b"{}", '{"orderId": "é"}'.encode()])
def test_une_demande_illisible_vaut_int_902(simulateur, corps):
    url = f"{simulateur.base}/api-payment/V4/Order/Get"

    reponse = poster(url, data=corps, auth=(SITE, MOTS_DE_PASSE["TEST"]))

    assert (reponse.status_code, lire_code(reponse.json())) == (200, "INT_902")


def test_un_service_inconnu_vaut_int_901(simulateur):
    assert lire_code(simulateur.rest("Order/Effacer", {})) == "INT_901"


def test_order_get_decrit_la_transaction_comme_l_ipn(simulateur, marchand, autorisee):
    reponse = simulateur.rest("Order/Get", {"orderId": autorisee["order_id"], "operationType": "DEBIT"})

    [lue] = reponse["answer"]["transactions"]
    ipn, carte = marchand.recues[0].champs, lue["transactionDetails"]["cardDetails"]
    assert (lue["uuid"], lue["detailedStatus"]) == (ipn["vads_trans_uuid"], ipn["vads_trans_status"])
    assert (lue["status"], lue["amount"], lue["currency"]) == ("PAID", 4525, "EUR")
    assert (carte["pan"], carte["legacyTransId"]) == (ipn["vads_card_number"], ipn["vads_trans_id"])
    assert carte["authorizationResponse"]["authorizationNumber"] == ipn["vads_auth_number"]
    assert carte["captureResponse"]["captureDate"] is None


def test_order_get_montre_chaque_refus_avec_le_code_de_la_banque(simulateur):
    refusee = simulateur.payer("4970100000000113")

    [lue] = simulateur.rest("Order/Get", {"orderId": refusee["order_id"]})["answer"]["transactions"]

    assert (lue["status"], lue["detailedStatus"]) == ("UNPAID", "REFUSED")
    assert (lue["errorCode"], lue["detailedErrorCode"]) == ("ACQ_001", "51")
    assert lue["transactionDetails"]["liabilityShift"] is None


def test_order_get_ne_connait_ni_l_inconnue_ni_l_autre_operation(simulateur, autorisee):
    inconnue = simulateur.rest("Order/Get", {"orderId": "JAMAIS"})
    sans_credit = simulateur.rest("Order/Get", {"orderId": autorisee["order_id"], "operationType": "CREDIT"})

    assert [lire_code(inconnue), lire_code(sans_credit)] == ["PSP_010", "PSP_010"]


def test_au_dela_de_trente_transactions_order_get_refuse(simulateur, remise):
    for _ in range(29):
        simulateur.faire(remise["uuid"], "rembourser", montant=10)
    trente = simulateur.rest("Order/Get", {"orderId": remise["order_id"]})
    simulateur.faire(remise["uuid"], "rembourser", montant=10)

    trente_et_une = simulateur.rest("Order/Get", {"orderId": remise["order_id"]})

    assert len(trente["answer"]["transactions"]) == 30
    assert lire_code(trente_et_une) == "PSP_015"


def test_transaction_get_rend_une_transaction(simulateur, autorisee):
    reponse = simulateur.rest("Transaction/Get", {"uuid": autorisee["uuid"]})

    assert reponse["answer"]["uuid"] == autorisee["uuid"]
    assert lire_code(simulateur.rest("Transaction/Get", {"uuid": "0" * 32})) == "PSP_010"


def test_annuler_avant_la_remise_garde_l_uuid_et_n_envoie_pas_d_ipn(simulateur, marchand, autorisee):
    simulateur.regler(regles=["fin", "bo"])

    reponse = simulateur.rest("Transaction/Cancel", {"uuid": autorisee["uuid"]})

    assert (reponse["answer"]["uuid"], reponse["answer"]["detailedStatus"]) == (autorisee["uuid"], "CANCELLED")
    assert lire_code(simulateur.rest("Transaction/Cancel", {"uuid": autorisee["uuid"]})) == "PSP_105"
    assert len(marchand.recues) == 1


def test_annuler_apres_la_remise_vaut_psp_075(simulateur, remise):
    assert lire_code(simulateur.rest("Transaction/Cancel", {"uuid": remise["uuid"]})) == "PSP_075"


def test_rembourser_avant_la_remise_vaut_psp_076(simulateur, autorisee):
    assert lire_code(simulateur.rest("Transaction/Refund", {"uuid": autorisee["uuid"], "amount": 100})) == "PSP_076"


def test_rembourser_cree_un_credit_a_chaque_appel_jusqu_au_reste(simulateur, remise):
    demande = {"uuid": remise["uuid"], "amount": 2000, "currency": "EUR"}

    premier, second, troisieme = (simulateur.rest("Transaction/Refund", demande) for _ in range(3))

    credit = premier["answer"]
    details = simulateur.rest("Transaction/Get", {"uuid": remise["uuid"]})["answer"]["transactionDetails"]
    assert (credit["operationType"], credit["amount"], credit["status"]) == ("CREDIT", 2000, "PAID")
    assert credit["transactionDetails"]["parentTransactionUuid"] == remise["uuid"]
    assert credit["transactionDetails"]["creationContext"] == "REFUND"
    assert "900000" <= credit["transactionDetails"]["cardDetails"]["legacyTransId"] <= "999999"
    assert credit["uuid"] != second["answer"]["uuid"]
    assert lire_code(troisieme) == "PSP_510"
    assert details["cardDetails"]["captureResponse"]["refundAmount"] == 4000


@pytest.mark.parametrize(
    ("etat", "demande", "attendu"),
    [
        ("autorisee", {"resolutionMode": "AUTO"}, "CANCELLED"),
        ("autorisee", {"amount": 4525, "currency": "EUR"}, "CANCELLED"),
        ("autorisee", {"amount": 100}, "PSP_076"),
        ("autorisee", {"resolutionMode": "REFUND_ONLY"}, "PSP_076"),
        ("remise", {"resolutionMode": "AUTO", "amount": 100}, "AUTHORISED"),
        ("remise", {"resolutionMode": "CANCELLATION_ONLY"}, "PSP_075"),
        ("remise", {"resolutionMode": "PEUT_ETRE"}, "INT_902"),
        ("remise", {"amount": 4526}, "PSP_510"),
        ("remise", {"amount": 0}, "PSP_020"),
        ("remise", {"amount": "100"}, "INT_902"),
        ("remise", {"amount": 100, "currency": "USD"}, "PSP_021"),
    ],
)
def test_annuler_ou_rembourser(simulateur, request, etat, demande, attendu):
    transaction = request.getfixturevalue(etat)

    reponse = simulateur.rest("Transaction/CancelOrRefund", {"uuid": transaction["uuid"], **demande})

    assert (lire_code(reponse) or reponse["answer"]["detailedStatus"]) == attendu


def test_un_impaye_ne_se_rembourse_pas(simulateur, remise):
    simulateur.faire(remise["uuid"], "impaye")

    assert lire_code(simulateur.rest("Transaction/Refund", {"uuid": remise["uuid"]})) == "PSP_083"


def test_un_remboursement_total_ne_se_refait_pas(simulateur, remise):
    simulateur.rest("Transaction/Refund", {"uuid": remise["uuid"]})

    assert lire_code(simulateur.rest("Transaction/Refund", {"uuid": remise["uuid"]})) == "PSP_104"


@pytest.mark.parametrize(("montant", "code"), [(4000, None), (4525, "PSP_014"), (5000, "PSP_020"), (None, "INT_902")])
def test_le_montant_se_baisse_avant_la_remise(simulateur, autorisee, montant, code):
    demande = {"uuid": autorisee["uuid"], "cardUpdate": {"amount": montant, "currency": "EUR"}}

    reponse = simulateur.rest("Transaction/Update", demande)

    assert lire_code(reponse) == code
    assert simulateur.transactions(autorisee["order_id"])[0]["montant"] == (4525 if code else montant)


def test_une_transaction_a_valider_se_valide(simulateur):
    a_valider = simulateur.payer(validation_mode="1")

    reponse = simulateur.rest("Transaction/Validate", {"uuid": a_valider["uuid"]})

    assert a_valider["rest"]["status"] == "RUNNING"
    assert reponse["answer"]["detailedStatus"] == "AUTHORISED"
    assert lire_code(simulateur.rest("Transaction/Validate", {"uuid": a_valider["uuid"]})) == "PSP_011"
