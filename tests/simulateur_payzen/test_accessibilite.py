"""Chaque page du simulateur, dans Chromium, à 320 px : axe n'y trouve rien et rien ne déborde."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.simulateur_payzen.plateforme import SITE

pytestmark = pytest.mark.navigateur
REFUSEE, AVEC_CODE = "4970 1000 0000 0113", "4970 1100 0000 0021"


@pytest.fixture
def page(chromium):
    """Une page étroite, qui note ce que la console reproche."""
    contexte = chromium.new_context(viewport={"width": 320, "height": 800})
    page = contexte.new_page()
    yield page
    contexte.close()


def verifier(page: Page) -> None:
    """Aucune violation, aucun défilement horizontal."""
    page.wait_for_load_state()
    violations = [(regle["id"], regle["help"]) for regle in Axe().run(page).response["violations"]]
    assert violations == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url


def choisir_et_valider(page: Page, numero: str) -> None:
    """Choisit une carte d'essai, puis valide."""
    page.click(f"a:has-text('{numero}')")
    page.click("text=Valider le paiement")


def test_le_parcours_du_payeur(simulateur, page):
    page.goto(simulateur.ouvrir(payment_cards="CB;VISA;MASTERCARD").url)
    verifier(page)
    page.click("button:has-text('CB')")
    verifier(page)
    page.click("text=Valider le paiement")
    verifier(page)
    choisir_et_valider(page, REFUSEE)
    verifier(page)
    choisir_et_valider(page, AVEC_CODE)
    verifier(page)
    page.fill("#code", "12")
    page.click("button:has-text('Valider')")
    verifier(page)
    page.fill("#code", page.inner_text("#code-attendu"))
    page.click("button:has-text('Valider')")
    verifier(page)

    expect(page.locator("h1")).to_have_text("Paiement accepté")


def test_le_navigateur_laisse_le_formulaire_de_retour_partir(simulateur, marchand, page):
    page.goto(simulateur.ouvrir(return_mode="POST").url)
    page.click("text=Annuler et retourner à la boutique")
    verifier(page)

    page.click("text=Retourner à la boutique")

    page.wait_for_url(f"{marchand.url}retour/")
    assert marchand.recues[-1].champs["vads_trans_status"] == "ABANDONED"


def test_le_refus_l_expiration_et_l_erreur(simulateur, page):
    simulateur.regler(tentatives_supplementaires=0)
    page.goto(simulateur.ouvrir().url)
    choisir_et_valider(page, REFUSEE)
    verifier(page)
    simulateur.regler(session_s=1)
    oubliee = simulateur.ouvrir()
    page.wait_for_timeout(1500)
    page.goto(oubliee.url)
    verifier(page)
    page.set_content(f'<form method="post" action="{simulateur.base}/vads-payment/"><button>Payer</button></form>')
    page.click("button")
    verifier(page)

    expect(page.locator("main")).to_contain_text("Erreur 02")


def test_le_back_office(simulateur, page):
    transaction = simulateur.payer()
    simulateur.envoyer(simulateur.composer(amount="0"))
    appel = simulateur.appels()[0]["id"]
    chemins = ["", f"transactions/{transaction['uuid']}/", "notifications/", f"notifications/{appel}/"]

    for chemin in [*chemins, "courriels/", "journaux/", f"reglages/{SITE}/"]:
        reponse = page.goto(f"{simulateur.base}/vads-merchant/{chemin}")
        assert reponse.status == 200
        verifier(page)
    page.goto(f"{simulateur.base}/vads-merchant/transactions/{transaction['uuid']}/")
    page.click("text=Remettre en banque")

    expect(page.locator("h1")).to_have_text(re.compile("CAPTURED$"))
