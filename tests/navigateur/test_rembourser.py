"""Toute la route, dans un vrai navigateur, sur une vraie démonstration : de la dette au solde qui baisse."""

import io
import secrets
from decimal import Decimal

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.navigateur.demonstration import attendre
from tests.navigateur.visiteur import ACCEPTEE_AVEC_CODE, INFORMATIONS, MONTANTS, RECAPITULATIF, Visiteur

pytestmark = pytest.mark.navigateur
PLUSIEURS = "allocataire qui a plusieurs dettes"
RADIE = "allocataire au dossier clos, qui doit encore"
TRENTE = "allocataire qui a trente dettes"
SANS_DETTE = "allocataire sans dette"
TEXTE_DU_TICKET = "Ce ticket prouve votre paiement par carte"


def lire_pdf(contenu: bytes) -> str:
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(contenu)).pages]
    return " ".join(" ".join(pages).split())


def telecharger_le_ticket(visiteur: Visiteur) -> str:
    with visiteur.page.expect_download() as attendu:
        visiteur.suivre("Télécharger le ticket (PDF)")
    return lire_pdf(attendu.value.path().read_bytes())


def lire_le_ticket_recu(visiteur: Visiteur, courriel: str) -> str:
    """Attend le courriel, le lit, et rend le texte de son PDF joint."""
    page = visiteur.page
    ligne = page.locator("li", has_text=courriel)

    def est_arrive() -> bool:
        visiteur.aller("", "courriels")
        return ligne.count() > 0

    attendre(est_arrive, 120, f"le courriel pour {courriel}")
    ligne.first.get_by_role("link").click()
    visiteur.voir("Votre ticket de paiement")
    piece = page.locator("ul a").first.get_attribute("href")
    return lire_pdf(page.request.get(visiteur.demonstration.get_adresse("courriels", piece.lstrip("/"))).body())


def attendre_la_prise_en_compte(visiteur: Visiteur) -> None:
    visiteur.aller("mon-compte/demarches/")
    visiteur.voir("Mes démarches")
    visiteur.page.locator("main article").first.get_by_role("link").click()

    def est_prise_en_compte() -> bool:
        visiteur.page.reload()
        return visiteur.page.get_by_text("Vos dettes sont à jour").count() > 0

    attendre(est_prise_en_compte, 120, "la démarche prise en compte")


@pytest.mark.parametrize("javascript", [True, False], ids=["avec JavaScript", "sans JavaScript"])
def test_de_la_dette_au_solde_qui_baisse(ouvrir, javascript):
    visiteur = ouvrir(javascript=javascript)
    courriel = f"camille.{secrets.token_hex(4)}@exemple.invalid"
    visiteur.se_connecter(PLUSIEURS)
    premiere, seconde = visiteur.choisir_les_grandes()[:2]
    avant = visiteur.lire_les_soldes()

    visiteur.preparer({premiere: "12,5", seconde: "7,05 €"}, courriel)
    visiteur.lire(courriel)
    paiement = visiteur.payer(ACCEPTEE_AVEC_CODE)
    tickets = [telecharger_le_ticket(visiteur), lire_le_ticket_recu(visiteur, courriel)]
    attendre_la_prise_en_compte(visiteur)

    for ticket in tickets:
        assert all(mot in ticket for mot in (paiement, premiere, seconde, "12,50 €", "7,05 €", "19,55 €", "0021"))
    baisses = {premiere: Decimal("12.50"), seconde: Decimal("7.05")}
    assert visiteur.lire_les_soldes() == {dette: solde - baisses.get(dette, 0) for dette, solde in avant.items()}


def test_un_montant_global_va_a_la_dette_la_plus_ancienne(visiteur):
    visiteur.se_connecter(PLUSIEURS)
    avant = visiteur.lire_les_soldes()
    plus_ancienne = next(iter(avant))
    visiteur.commencer()
    visiteur.informer()
    visiteur.choisir_un_montant("20")
    visiteur.presser("Voir la répartition")
    visiteur.lire("Répartition prévue")
    visiteur.lire(plus_ancienne)
    visiteur.presser("Continuer")
    visiteur.voir(RECAPITULATIF)

    visiteur.payer()
    attendre_la_prise_en_compte(visiteur)

    assert visiteur.lire_les_soldes() == avant | {plus_ancienne: avant[plus_ancienne] - 20}


def test_un_dossier_clos_se_rembourse_aussi(visiteur):
    visiteur.se_connecter(RADIE)
    dette = visiteur.choisir_les_grandes()[0]
    visiteur.lire("Votre dossier est clos. Vous pouvez toujours consulter et rembourser vos dettes.")

    visiteur.preparer({dette: "3"})
    visiteur.payer()

    visiteur.lire("3,00 €")


def test_trente_dettes_se_lisent_et_se_remboursent_ensemble(visiteur):
    visiteur.se_connecter(TRENTE)
    payables = visiteur.lire_les_soldes()
    cartes = visiteur.page.locator("article.dette").count()

    visiteur.preparer(dict.fromkeys(payables, "1"))

    assert cartes == 30
    assert visiteur.page.get_by_role("button", name=f"Payer {len(payables)},00 €").is_visible()


def test_sans_dette_le_service_le_dit(visiteur):
    visiteur.se_connecter(SANS_DETTE)
    visiteur.aller("mon-compte/dettes/")
    visiteur.voir("Mes dettes")
    visiteur.lire("Vous n’avez aucune dette envers la Caf.")

    visiteur.aller("rembourser/")

    visiteur.voir("Vous n’avez rien à rembourser ici")


@pytest.mark.parametrize("javascript", [True, False], ids=["avec JavaScript", "sans JavaScript"])
def test_une_adresse_collee_avec_ce_qui_ne_se_voit_pas_est_gardee(ouvrir, javascript):
    """H-11 : une espace sans largeur, une marque d'ordre, un sens d'écriture, des chevrons."""
    visiteur = ouvrir(javascript=javascript)
    visiteur.se_connecter(PLUSIEURS)
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "2"})
    recapitulatif = visiteur.page.url
    for saisie in ("\u200b{}", "\ufeff{}", "{}\u200e", "<{}>"):
        adresse = f"jean.{secrets.token_hex(3)}@exemple.invalid"
        visiteur.page.goto(recapitulatif.replace("/recapitulatif/", "/informations/"))
        visiteur.page.get_by_label("adresse électronique").fill(saisie.format(adresse))
        visiteur.presser("Continuer")
        visiteur.voir(RECAPITULATIF)
        expect(visiteur.page.get_by_text(adresse, exact=True)).to_be_visible()

    visiteur.page.goto(recapitulatif.replace("/recapitulatif/", "/informations/"))
    visiteur.page.get_by_label("adresse électronique").fill("rené@exemple.invalid")
    visiteur.presser("Continuer")

    visiteur.lire("Ce qui précède le @ s’écrit sans accent, par exemple rene@exemple.fr")
    visiteur.regarder()


@pytest.mark.parametrize("javascript", [True, False], ids=["avec JavaScript", "sans JavaScript"])
def test_une_faute_se_corrige_sans_rien_ressaisir(ouvrir, javascript):
    visiteur = ouvrir(javascript=javascript)
    visiteur.se_connecter(PLUSIEURS)
    premiere, seconde = visiteur.choisir_les_grandes()[:2]
    visiteur.commencer()
    visiteur.informer()

    visiteur.choisir_des_dettes({premiere: "douze", seconde: "4,20"})
    visiteur.presser("Continuer")

    visiteur.lire("Pour continuer, corrigez ce qui suit")
    nom = visiteur.page.locator("li.rangee", has_text=premiere).locator(".rangee__nom").inner_text().split(",")[0]
    expect(visiteur.page.locator(".resume")).to_contain_text(nom, ignore_case=True)
    visiteur.voir(MONTANTS)
    visiteur.presser("Retour")
    visiteur.voir(INFORMATIONS)
    visiteur.reculer()
    visiteur.voir(MONTANTS)
    saisies = [visiteur.get_saisie(reference).input_value() for reference in (premiere, seconde)]
    assert saisies == ["douze", "4,20"]
