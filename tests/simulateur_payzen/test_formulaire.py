"""Le formulaire de la boutique : ce qui ouvre une session, ce qui donne une erreur, et laquelle."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import requests

from tests.simulateur_payzen.plateforme import lire, poster

FAUTES = [
    ({"site_id": "99999999"}, "02"),
    ({"site_id": None}, "02"),
    ({"ctx_mode": "ESSAI"}, "11"),
    ({"version": "V1"}, "01"),
    ({"trans_id": "12345"}, "03"),
    ({"trans_id": "abc-12"}, "03"),
    ({"trans_id": "900001"}, "03"),
    ({"trans_date": "2026"}, "04"),
    ({"trans_date": "20261399000000"}, "04"),
    ({"amount": "0"}, "09"),
    ({"amount": "10,00"}, "09"),
    ({"amount": None}, "09"),
    ({"currency": "840"}, "10"),
    ({"action_mode": "SILENT"}, "47"),
    ({"page_action": "REGISTER"}, "46"),
    ({"payment_config": "MULTI:first=1;count=2;period=30"}, "07"),
    ({"capture_delay": "demain"}, "06"),
    ({"validation_mode": "2"}, "05"),
    ({"payment_cards": "CB;PAYPAL"}, "08"),
    ({"payment_cards": "ALL"}, "08"),
    ({"order_id": "avec espace"}, "13"),
    ({"order_id": "A" * 65}, "13"),
    ({"language": "xx"}, "12"),
    ({"order_info": "<b>"}, "14"),
    ({"cust_email": "pas un courriel"}, "15"),
    ({"cust_country": "France"}, "22"),
    ({"url_success": "javascript:alert(1)"}, "24"),
    ({"url_return": "http://a/" + "x" * 1024}, "28"),
    ({"url_return": "http://[x"}, "28"),
    ({"url_check": "http://[x"}, "33"),
    ({"return_mode": "PUT"}, "48"),
    ({"redirect_success_timeout": "301"}, "34"),
    ({"redirect_error_timeout": "-1"}, "36"),
    ({"threeds_mpi": "9"}, "50"),
    ({"ext_info_dossier": "a\nb"}, "91"),
    ({"cust_first_name": "x" * 64}, "104"),
    ({"order_info": "payé avec 4970100000000055"}, "999"),
]


def lire_code(page: requests.Response) -> str | None:
    """Le code d'erreur affiché."""
    trouve = re.search(r"Erreur (\d+) –", page.text)
    return trouve[1] if trouve else None


@pytest.mark.parametrize(("changement", "code"), FAUTES, ids=lambda valeur: str(valeur)[:40])
def test_un_champ_faux_donne_son_code(simulateur, changement, code):
    page = simulateur.envoyer(simulateur.composer(**changement))

    assert (page.status_code, lire_code(page)) == (400, code)
    assert simulateur.transactions() == []


def test_un_formulaire_juste_ouvre_une_session(simulateur):
    page = simulateur.envoyer(simulateur.composer(cust_first_name="Zoé", order_info="l'été à 100 %"))

    assert page.status_code == 200
    assert "45,25" in page.text


def test_une_valeur_facultative_vide_vaut_absente(simulateur):
    page = simulateur.envoyer(simulateur.composer(validation_mode="", capture_delay="", cust_id="", return_mode=""))

    assert page.status_code == 200


@pytest.mark.parametrize(("signature", "code"), [("", "70"), (None, "70"), ("A" * 43 + "=", "00")])
def test_une_signature_absente_ou_fausse_est_refusee(simulateur, signature, code):
    champs = simulateur.composer()
    champs.pop("signature")

    page = simulateur.envoyer(champs if signature is None else {**champs, "signature": signature})

    assert lire_code(page) == code


def test_la_cle_de_l_autre_mode_ne_signe_pas(simulateur):
    champs = simulateur.composer()
    en_production = simulateur.composer(ctx_mode="PRODUCTION")

    page = simulateur.envoyer({**champs, "signature": en_production["signature"]})

    assert lire_code(page) == "00"


@pytest.mark.parametrize("corps", [b"vads_site_id=12345678&vads_order_info=%E9", b"vads_amount=1&vads_amount=2"])
def test_un_corps_ambigu_est_refuse(simulateur, corps):
    entetes = {"Content-Type": "application/x-www-form-urlencoded"}

    page = poster(f"{simulateur.base}/vads-payment/", data=corps, headers=entetes)

    assert lire_code(page) == "00"


@pytest.mark.parametrize(("minutes", "accepte"), [(-65, False), (-55, True), (0, True), (145, True), (155, False)])
def test_la_date_doit_etre_proche_de_l_heure_utc(simulateur, minutes, accepte):
    date = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y%m%d%H%M%S")

    page = simulateur.envoyer(simulateur.composer(trans_date=date))

    assert (page.status_code == 200) is accepte
    assert lire_code(page) == (None if accepte else "04")


def test_l_horloge_decalee_refuse_l_heure_juste(simulateur):
    simulateur.regler(decalage_horloge_s=3 * 3600)

    page = simulateur.envoyer(simulateur.composer())

    assert lire_code(page) == "04"


def test_un_numero_ne_sert_qu_une_fois_par_jour_quelle_que_soit_la_casse(simulateur):
    simulateur.ouvrir(trans_id="abC123")

    page = simulateur.envoyer(simulateur.composer(trans_id="ABc123"))

    assert lire_code(page) == "03"


def test_un_numero_ne_sert_qu_une_fois_par_jour_dans_les_deux_modes(simulateur):
    simulateur.ouvrir(trans_id="abd123")

    page = simulateur.envoyer(simulateur.composer(trans_id="abd123", ctx_mode="PRODUCTION"))

    assert page.status_code == 400


def test_un_numero_annule_dit_que_la_transaction_est_annulee(simulateur):
    simulateur.ouvrir(trans_id="brule1").annuler()

    page = simulateur.envoyer(simulateur.composer(trans_id="brule1"))

    assert "La transaction a été annulée" in page.text
    assert "Retourner à la boutique" in page.text


def test_en_production_l_erreur_reste_vague_mais_le_marchand_la_recoit(simulateur):
    page = simulateur.envoyer(simulateur.composer(ctx_mode="PRODUCTION", amount="0"))

    assert lire_code(page) is None
    assert "erreur technique" in page.text
    assert simulateur.courriels() == ["Formulaire de paiement invalide : 09 – vads_amount"]


def test_un_formulaire_refuse_n_envoie_ni_ipn_ni_rien_a_l_api(simulateur, marchand):
    simulateur.envoyer(simulateur.composer(order_id="JAMAIS-1", currency="840"))

    reponse = simulateur.rest("Order/Get", {"orderId": "JAMAIS-1"})

    assert reponse["answer"]["errorCode"] == "PSP_010"
    assert marchand.recues == []


def test_un_champ_inconnu_est_accepte_s_il_est_signe(simulateur):
    champs = simulateur.composer(nouveaute="oui")
    non_signe = {**simulateur.composer(), "vads_ajoute_apres": "x"}

    assert simulateur.envoyer(champs).status_code == 200
    assert lire_code(simulateur.envoyer(non_signe)) == "00"


def test_la_page_du_formulaire_ne_se_lit_pas(simulateur):
    url = f"{simulateur.base}/vads-payment/?{urlencode(simulateur.composer())}"

    assert lire(url).status_code == 405
