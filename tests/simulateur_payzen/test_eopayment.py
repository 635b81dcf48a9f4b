"""Un client marchand indépendant, eopayment, paie chez le simulateur et croit ses messages."""

from decimal import Decimal

import eopayment
import pytest
import requests

from tests.simulateur_payzen.plateforme import CLES, SITE, Payeur


@pytest.fixture
def client(marchand):
    """Le client, réglé pour la boutique d'essai."""
    return eopayment.Payment(
        "systempayv2",
        {
            "vads_site_id": SITE,
            "secret_test": CLES["TEST"],
            "secret_production": CLES["PRODUCTION"],
            "vads_ctx_mode": "TEST",
            "signature_algo": "hmac_sha256",
            "normal_return_url": f"{marchand.url}retour/",
            "automatic_return_url": f"{marchand.url}ipn/",
        },
    )


def payer(simulateur, client, numero):
    """Un paiement demandé par eopayment ; rend sa référence et le payeur."""
    reference, _, formulaire = client.request(
        Decimal("45.25"), orderid="DETTE-EO", first_name="Zoé", email="z@caf.test"
    )
    champs = {champ["name"]: champ["value"] for champ in formulaire.fields}
    web = requests.Session()
    page = web.post(f"{simulateur.base}/vads-payment/", data=champs)
    assert page.status_code == 200, page.text
    payeur = Payeur(page, web).poster(marque="CB")
    return reference, payeur.carte(numero)


@pytest.mark.parametrize(
    ("numero", "resultat"), [("4970100000000055", eopayment.PAID), ("4970100000000113", eopayment.DENIED)]
)
def test_eopayment_comprend_l_ipn(simulateur, marchand, client, numero, resultat):
    simulateur.regler(tentatives_supplementaires=0)

    reference, _ = payer(simulateur, client, numero)

    reponse = client.response(marchand.recues[0].corps)
    assert reponse.signed
    assert reponse.test
    assert (reponse.result, reponse.order_id) == (resultat, reference)


def test_eopayment_comprend_le_retour(simulateur, client):
    _, payeur = payer(simulateur, client, "4970100000000055")

    adresse = payeur.repartir().headers["Location"]

    reponse = client.response(adresse.split("?", 1)[1])
    assert (reponse.signed, reponse.result) == (True, eopayment.PAID)


def test_eopayment_comprend_l_abandon(simulateur, marchand, client):
    simulateur.regler(regles=["fin", "annulation"])
    _, payeur = payer(simulateur, client, "4970100000000113")

    payeur.annuler()

    reponse = client.response(marchand.recues[0].corps)
    assert (reponse.signed, reponse.result) == (True, eopayment.CANCELLED)


def test_eopayment_refuse_une_ipn_mal_signee(simulateur, marchand, client):
    simulateur.regler({"ipn": "signature_fausse"})

    payer(simulateur, client, "4970100000000055")

    assert not client.response(marchand.recues[0].corps).signed
