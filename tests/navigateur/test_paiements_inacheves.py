"""Ce qui n'aboutit pas, ce qui se fait deux fois, ce qui tarde : jamais un double paiement, jamais une impasse."""

import re

import pytest
from playwright.sync_api import expect

from tests.navigateur.visiteur import (
    ACCEPTEE,
    ENREGISTREE,
    NON_PRISE_EN_COMPTE,
    NON_REALISEE,
    REFUSEE,
    Visiteur,
)

pytestmark = pytest.mark.navigateur
PLUSIEURS, TRENTE = "allocataire qui a plusieurs dettes", "allocataire qui a trente dettes"
COURRIEL = "dominique@exemple.invalid"
DEJA_PARTIE = "Cette démarche est déjà partie"


@pytest.fixture
def recapitulatif(visiteur: Visiteur) -> Visiteur:
    """Une personne devant son récapitulatif : 6,40 € sur sa plus ancienne dette."""
    visiteur.se_connecter(PLUSIEURS)
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "6,40"}, COURRIEL)
    return visiteur


def recommencer(visiteur: Visiteur) -> None:
    """Revient au récapitulatif, tout déjà rempli, et paie cette fois."""
    visiteur.presser("Recommencer")
    visiteur.voir("Relisez avant de payer")
    visiteur.lire(COURRIEL)
    visiteur.lire("6,40 €")
    visiteur.payer()


def test_annuler_a_la_banque_puis_recommencer(recapitulatif):
    recapitulatif.partir_payer()

    recapitulatif.presser("Annuler et retourner à la boutique")

    recapitulatif.voir(NON_REALISEE)
    recommencer(recapitulatif)


def test_une_carte_refusee_puis_recommencer(recapitulatif):
    recapitulatif.partir_payer()
    recapitulatif.payer_par_carte(REFUSEE)
    for _ in range(2):
        recapitulatif.lire("Votre banque a refusé le paiement")
        recapitulatif.saisir_la_carte(REFUSEE)

    recapitulatif.revenir(NON_PRISE_EN_COMPTE)

    recommencer(recapitulatif)


def test_abandonner_a_chaque_etape(recapitulatif):
    for etape in ("informations", "montants", "recapitulatif"):
        depart = recapitulatif.page.url
        recapitulatif.page.goto(depart.replace("/recapitulatif/", f"/{etape}/"))
        recapitulatif.abandonner()
        recapitulatif.suivre("Continuer ma démarche")
        recapitulatif.voir("Relisez avant de payer")
    recapitulatif.abandonner()

    recapitulatif.presser("Abandonner la démarche")

    recapitulatif.voir("Mes dettes")
    recapitulatif.lire("Votre démarche est abandonnée.")


@pytest.mark.parametrize("javascript", [True, False], ids=["avec JavaScript", "sans JavaScript"])
def test_presser_deux_fois_payer_n_ouvre_qu_un_paiement(ouvrir, javascript):
    visiteur = ouvrir(javascript=javascript)
    visiteur.se_connecter(TRENTE)
    avant = visiteur.lister_les_demarches()
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "1"})

    visiteur.presser_deux_fois("Payer ")

    # Sans JavaScript, le second envoi peut être arrivé le premier à l'écran : il dit alors que tout est déjà parti.
    expect(visiteur.page.locator("body")).to_have_text(re.compile("Avec quelle carte|Vous allez payer|déjà partie"))
    if javascript:  # la page qui dit « Vous allez payer » part seule : la quitter avant croiserait son départ
        visiteur.voir("Avec quelle carte payez-vous ?")
    nouvelles = [reference for reference in visiteur.lister_les_demarches() if reference not in avant]
    assert len(nouvelles) == 1


def test_deux_onglets_ne_paient_qu_une_fois(recapitulatif):
    autre = recapitulatif.ouvrir_un_onglet()
    autre.page.goto(recapitulatif.page.url)
    recapitulatif.payer()

    autre.presser("Payer ")

    autre.lire(DEJA_PARTIE)
    autre.lire("6,40 €")


def test_un_montant_change_dans_un_autre_onglet_se_relit_avant_de_payer(recapitulatif):
    autre = recapitulatif.ouvrir_un_onglet()
    dette = recapitulatif.page.locator(".recap--montants .reference").first.inner_text()
    autre.page.goto(recapitulatif.page.url.replace("/recapitulatif/", "/montants/"))
    autre.get_saisie(dette).fill("8")
    autre.presser("Continuer")
    autre.voir("Relisez avant de payer")

    recapitulatif.presser("Payer ")

    recapitulatif.lire("Votre démarche a changé")
    assert recapitulatif.page.get_by_role("button", name="Payer 8,00 €").is_visible()


def test_revenir_en_arriere_apres_avoir_paye_ne_repaie_pas(recapitulatif):
    adresse = recapitulatif.page.url
    paiement = recapitulatif.payer()

    for _ in range(10):
        recapitulatif.reculer()
        if recapitulatif.page.url == adresse:
            break
    recapitulatif.page.goto(adresse)

    recapitulatif.lire(paiement)
    assert recapitulatif.page.get_by_role("button", name="Payer ").count() == 0


def test_une_notification_en_retard_se_montre_toute_seule(recapitulatif):
    # PayZen ne répond pas non plus à nos questions : l'attente ne finit que par la notification.
    retard = {"genre": "retardee", "secondes": 20, "fois": 1}
    recapitulatif.demonstration.regler(pannes={"ipn": retard, "rest": "erreur_500"})
    recapitulatif.partir_payer()
    recapitulatif.payer_par_carte(ACCEPTEE)
    recapitulatif.suivre("Retourner à la boutique")
    recapitulatif.lire("Cette page se met à jour toute seule.")

    recapitulatif.page.wait_for_selector("text=Ticket de paiement")

    recapitulatif.voir(ENREGISTREE)
