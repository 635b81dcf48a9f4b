"""Toute la route en anglais, dans un vrai navigateur : de « English » au ticket."""

import pytest
from playwright.sync_api import expect

from tests.langues import relever_le_francais
from tests.navigateur.test_rembourser import PLUSIEURS, lire_pdf
from tests.navigateur.visiteur import ACCEPTEE_AVEC_CODE, Visiteur

pytestmark = pytest.mark.navigateur


def voir(visiteur: Visiteur, titre: str) -> None:
    """Constate le titre, examine la page, et n'y trouve pas un mot de français."""
    visiteur.voir(titre)
    expect(visiteur.page.locator("html")).to_have_attribute("lang", "en")
    assert relever_le_francais(visiteur.page.content()) == []


@pytest.mark.parametrize("javascript", [True, False], ids=["avec JavaScript", "sans JavaScript"])
def test_de_la_connexion_au_ticket_en_anglais(ouvrir, javascript):
    visiteur = ouvrir(javascript=javascript)
    page = visiteur.page
    compte = visiteur.demonstration.get_compte(PLUSIEURS)
    visiteur.aller("")
    visiteur.presser("English")
    voir(visiteur, "Repay my Caf online")

    visiteur.suivre("Sign in")
    voir(visiteur, "Sign in")
    page.get_by_label("User ID").fill(compte["identifiant"])
    page.get_by_label("Password", exact=True).fill(compte["mot_de_passe"])
    page.locator("main").get_by_role("button", name="Sign in").click()
    voir(visiteur, "My account")

    page.locator("header").get_by_role("link", name="My debts").click()
    voir(visiteur, "My debts")
    visiteur.suivre("Repay online")
    if page.locator("h1").inner_text() == "Before you start":
        voir(visiteur, "Before you start")
        if page.get_by_role("checkbox").count():
            visiteur.cocher("I have read")
        visiteur.presser("Continue")
    voir(visiteur, "How much do you want to repay?")

    visiteur.cocher("One amount, allocated by the Caf")
    page.get_by_role("textbox", name="Amount to repay", exact=True).fill("15.50")
    visiteur.presser("Continue")
    voir(visiteur, "Check before you pay")
    visiteur.presser("Pay €15.50")
    if not javascript:
        voir(visiteur, "You are about to pay €15.50")
        visiteur.presser("Continue to PayZen")

    visiteur.voir("Avec quelle carte payez-vous ?")
    visiteur.payer_par_carte(ACCEPTEE_AVEC_CODE)
    visiteur.donner_le_code()
    visiteur.voir("Paiement accepté")
    visiteur.suivre("Retourner à la boutique")
    voir(visiteur, "Your payment request has been successfully recorded.")

    with page.expect_download() as attendu:
        visiteur.suivre("Download the receipt (PDF)")
    ticket = lire_pdf(attendu.value.path().read_bytes())
    assert "€15.50" in ticket
    assert "This receipt proves your card payment" in ticket
