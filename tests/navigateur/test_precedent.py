"""« Précédent » ne montre jamais l'erreur du navigateur : un envoi refusé se retrouve, et ce qui était tapé aussi."""

import pytest
from playwright.sync_api import expect

from tests.navigateur.visiteur import RECAPITULATIF, Visiteur

pytestmark = pytest.mark.navigateur
PLUSIEURS = "allocataire qui a plusieurs dettes"


@pytest.fixture(params=[True, False], ids=["avec JavaScript", "sans JavaScript"])
def visiteur(ouvrir, request) -> Visiteur:
    return ouvrir(javascript=request.param)


def revenir(visiteur: Visiteur) -> None:
    """« Précédent », puis une page du service : le navigateur n'a rien à demander."""
    visiteur.reculer()
    expect(visiteur.page.get_by_role("link", name="Rembourser ma Caf")).to_be_visible()


def test_une_connexion_refusee_se_retrouve(visiteur):
    visiteur.aller("connexion/")
    visiteur.page.get_by_label("Identifiant").fill("66 0000000")
    visiteur.page.get_by_label("Mot de passe", exact=True).fill("un mot de passe faux")
    visiteur.presser("Se connecter")
    visiteur.lire("Nous ne reconnaissons pas cet identifiant")
    visiteur.suivre("choisissez votre mot de passe")

    revenir(visiteur)

    visiteur.lire("Nous ne reconnaissons pas cet identifiant")
    expect(visiteur.page.get_by_label("Identifiant")).to_have_value("66 0000000")


def test_un_code_de_courrier_refuse_se_retrouve(visiteur):
    visiteur.aller("premiere-connexion/")
    visiteur.page.get_by_label("Identifiant").fill("66 0000000")
    visiteur.presser("Enregistrer et me connecter")
    visiteur.lire("Pour continuer, corrigez ce qui suit")
    visiteur.aller("aide/")

    revenir(visiteur)

    visiteur.lire("Pour continuer, corrigez ce qui suit")
    expect(visiteur.page.get_by_label("Identifiant")).to_have_value("66 0000000")


def test_un_mot_de_passe_refuse_se_retrouve(visiteur):
    visiteur.se_connecter(PLUSIEURS)
    visiteur.voir("Mon compte")
    visiteur.aller("compte/mot-de-passe/")
    visiteur.page.locator("main form").get_by_role("button").last.click()
    visiteur.lire("Pour continuer, corrigez ce qui suit")
    visiteur.aller("aide/")

    revenir(visiteur)

    visiteur.lire("Pour continuer, corrigez ce qui suit")


def test_un_recapitulatif_qui_n_est_plus_vrai_se_retrouve_a_jour(visiteur):
    visiteur.se_connecter(PLUSIEURS)
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "3,10"})
    dette = visiteur.page.locator(".recap--montants .reference").first.inner_text()
    autre = visiteur.ouvrir_un_onglet()
    autre.page.goto(visiteur.page.url.replace("/recapitulatif/", "/montants/"))
    autre.get_saisie(dette).fill("3,20")
    autre.presser("Continuer")
    autre.voir(RECAPITULATIF)
    visiteur.presser("Payer ")
    visiteur.lire("Votre démarche a changé")
    visiteur.aller("aide/")

    revenir(visiteur)

    visiteur.voir(RECAPITULATIF)
    expect(visiteur.page.get_by_role("button", name="Payer 3,20 €")).to_be_visible()


def test_un_deuxieme_clic_sur_payer_se_retrouve(visiteur):
    visiteur.se_connecter(PLUSIEURS)
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "3,30"})
    autre = visiteur.ouvrir_un_onglet()
    autre.page.goto(visiteur.page.url)
    visiteur.partir_payer()
    autre.presser("Payer ")
    autre.lire("Cette démarche est déjà partie")
    autre.lire("Avez-vous terminé le paiement ?")
    autre.aller("aide/")

    revenir(autre)

    autre.lire("Avez-vous terminé le paiement ?")
