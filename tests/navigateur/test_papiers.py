"""Après avoir payé : ce que dit la réussite, le ticket renvoyé à la bonne adresse, le papier qu'un agent vérifie."""

import re

import pytest
from playwright.sync_api import expect

from tests.navigateur.test_agents import entrer_au_bureau
from tests.navigateur.test_rembourser import attendre_la_prise_en_compte, lire_pdf
from tests.navigateur.visiteur import Visiteur

pytestmark = pytest.mark.navigateur
PLUSIEURS = "allocataire qui a plusieurs dettes"


@pytest.fixture(params=[True, False], ids=["avec JavaScript", "sans JavaScript"])
def payee(ouvrir, request) -> Visiteur:
    """Une personne qui vient de payer 1,10 €, sans laisser d'adresse."""
    visiteur = ouvrir(javascript=request.param)
    visiteur.se_connecter(PLUSIEURS)
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "1,10"})
    visiteur.payer()
    return visiteur


def telecharger(visiteur: Visiteur, nom: str) -> str:
    with visiteur.page.expect_download() as attendu:
        visiteur.suivre(nom)
    return lire_pdf(attendu.value.path().read_bytes())


def test_la_reussite_dit_ce_qui_est_fait_ce_qui_vient_et_une_seule_reference(payee):
    reference = payee.page.url.rstrip("/").split("/")[-2]

    payee.lire("Ce qui est fait, ce qui vient ensuite")
    payee.lire("Dettes mises à jour")
    assert set(re.findall(r"\b[DP](?:-[0-9A-Z]{4}){3}\b", payee.page.locator("main").inner_text())) == {reference}


def test_le_ticket_se_renvoie_a_une_adresse_corrigee(payee):
    reference = payee.page.url.rstrip("/").split("/")[-2]
    payee.aller(f"mon-compte/demarches/{reference}/")
    payee.suivre("Recevoir le ticket par courriel")
    payee.voir("Recevoir le ticket par courriel")
    payee.page.get_by_label("adresse électronique").fill("claire@")
    payee.presser("Envoyer le ticket")
    payee.lire("Écrivez une adresse électronique complète")
    payee.voir("Recevoir le ticket par courriel")
    expect(payee.page.get_by_label("adresse électronique")).to_have_value("claire@")

    payee.page.get_by_label("adresse électronique").fill("claire@exemple.invalid")
    payee.presser("Envoyer le ticket")

    payee.lire("Votre ticket part à cette adresse.")


def test_un_agent_verifie_le_papier_qu_on_lui_presente(ouvrir):
    visiteur, agent = ouvrir(), ouvrir()
    visiteur.se_connecter(PLUSIEURS)
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "1,20"})
    reference = visiteur.payer()
    attendre_la_prise_en_compte(visiteur)
    papiers = [telecharger(visiteur, f"Télécharger {nom} (PDF)") for nom in ("le ticket", "l’attestation")]
    codes = {re.search(r"Code de vérification : ([0-9A-Z]+(?:-[0-9A-Z]+)*)", papier)[1] for papier in papiers}

    entrer_au_bureau(agent, "agent, consultation")
    agent.aller("agents/paiements/paiement/verifier-un-papier/")
    champs = agent.page.locator("#content form").get_by_role("textbox")
    champs.nth(0).fill(reference)
    champs.nth(1).fill(codes.pop())
    agent.page.locator("#content form").get_by_role("button").click()

    assert not codes
    agent.lire("Ce code est bien celui de ce paiement.")
    agent.lire("1,20")
    agent.examen.passer(agent.page)
