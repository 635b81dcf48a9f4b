"""Jamais deux débits par surprise, jamais enfermé : la vieille page, la page de la banque quittée, l'ancien onglet."""

import pytest
from playwright.sync_api import expect

from tests.navigateur.visiteur import ACCEPTEE, ENREGISTREE, NON_REALISEE, RECAPITULATIF, Visiteur

pytestmark = pytest.mark.navigateur
PLUSIEURS = "allocataire qui a plusieurs dettes"
QUESTION = "Avez-vous terminé le paiement ?"
OUI, NON = "Oui, j’ai payé", "Non, je n’ai pas payé"


@pytest.fixture(params=[True, False], ids=["avec JavaScript", "sans JavaScript"])
def recapitulatif(ouvrir, request) -> Visiteur:
    """Une personne devant son récapitulatif : 2,20 € sur sa plus ancienne dette."""
    visiteur = ouvrir(javascript=request.param)
    visiteur.se_connecter(PLUSIEURS)
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "2,20"})
    return visiteur


def test_une_vieille_page_mene_a_la_demande_qui_la_recommence(recapitulatif):
    recapitulatif.partir_payer()
    recapitulatif.presser("Annuler et retourner à la boutique")
    recapitulatif.voir(NON_REALISEE)
    ancienne = recapitulatif.ouvrir_un_onglet()
    ancienne.page.goto(recapitulatif.page.url)
    recapitulatif.presser("Recommencer")
    recapitulatif.voir(RECAPITULATIF)
    nouvelle = recapitulatif.payer()

    ancienne.presser("Recommencer")

    assert ancienne.page.url.endswith(f"/mon-compte/demarches/{nouvelle}/")
    ancienne.reculer()
    ancienne.page.reload()
    ancienne.lire("Vous avez recommencé cette demande")
    expect(ancienne.page.get_by_role("button", name="Recommencer")).to_have_count(0)
    ancienne.regarder()
    ancienne.suivre(f"voir la nouvelle, {nouvelle}")
    ancienne.lire("2,20 €")


def test_payer_de_nouveau_les_memes_dettes_se_lit_avant(recapitulatif):
    dette = recapitulatif.page.locator(".recap--montants .reference").first.inner_text()
    recapitulatif.payer()
    recapitulatif.regarder()

    recapitulatif.preparer({dette: "2,20"})

    recapitulatif.lire("Ce serait un paiement de plus")
    recapitulatif.lire("Vous avez déjà payé 2,20 € sur ces dettes le")
    expect(recapitulatif.page.get_by_role("button", name="Payer 2,20 € de plus")).to_be_visible()
    recapitulatif.regarder()


def test_revenir_de_payzen_sans_payer_puis_recommencer(recapitulatif):
    recapitulatif.partir_payer()
    recapitulatif.reculer()
    recapitulatif.lire(QUESTION)
    recapitulatif.regarder()
    recapitulatif.aller("mon-compte/dettes/")
    recapitulatif.lire("2,20 € sont réservés pour la demande commencée le")
    recapitulatif.regarder()

    recapitulatif.presser(NON)

    recapitulatif.voir(NON_REALISEE)
    recapitulatif.lire("Vos montants sont libérés")
    recapitulatif.regarder()
    recapitulatif.presser("Recommencer")
    recapitulatif.voir(RECAPITULATIF)
    recapitulatif.payer()


def test_abandonner_puis_payer_dans_l_ancien_onglet(recapitulatif):
    demarche = recapitulatif.page.url.split("/")[-3]
    recapitulatif.partir_payer()
    autre = recapitulatif.ouvrir_un_onglet()
    autre.aller(f"mon-compte/demarches/{demarche}/")
    autre.presser(NON)
    autre.voir(NON_REALISEE)

    recapitulatif.payer_par_carte(ACCEPTEE)
    recapitulatif.voir("Paiement accepté")
    recapitulatif.revenir(ENREGISTREE)

    recapitulatif.lire("Vous nous aviez dit ne pas avoir payé : votre banque a pourtant accepté ce paiement")
    recapitulatif.regarder()


def test_abandonner_deux_fois_ne_fait_rien_de_plus(recapitulatif):
    demarche = recapitulatif.page.url.split("/")[-3]
    recapitulatif.partir_payer()
    onglets = [recapitulatif.ouvrir_un_onglet() for _ in range(2)]
    for onglet in onglets:
        onglet.aller(f"mon-compte/demarches/{demarche}/")

    for onglet in onglets:
        onglet.presser(NON)
        onglet.voir(NON_REALISEE)

    assert recapitulatif.lister_les_demarches().count(demarche) == 1


def test_dire_avoir_paye_sans_nouvelle_de_la_banque(recapitulatif):
    demarche = recapitulatif.page.url.split("/")[-3]
    recapitulatif.partir_payer()
    recapitulatif.aller(f"paiements/{demarche}/retour/?essai=30")
    recapitulatif.lire("La réponse tarde")
    recapitulatif.regarder()

    recapitulatif.presser(OUI)

    recapitulatif.lire("PayZen ne nous annonce encore aucun paiement terminé")
    recapitulatif.aller(f"mon-compte/demarches/{demarche}/")
    recapitulatif.presser(NON)
    recapitulatif.voir(NON_REALISEE)


def test_payzen_en_panne_se_dit_sans_rien_perdre(recapitulatif):
    demarche = recapitulatif.page.url.split("/")[-3]
    recapitulatif.partir_payer()
    recapitulatif.aller(f"mon-compte/demarches/{demarche}/")
    recapitulatif.demonstration.regler(pannes={"rest": "html"})

    recapitulatif.presser(NON)

    recapitulatif.lire("ne répond pas en ce moment. Rien n’est changé, et rien n’est perdu")
    recapitulatif.lire(QUESTION)
    recapitulatif.regarder()
