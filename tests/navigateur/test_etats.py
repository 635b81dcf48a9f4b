"""Chaque état d'une demande et d'une dette, regardé : avec et sans JavaScript, deux thèmes, deux langues."""

import psycopg
import pytest
from playwright.sync_api import expect

from tests.navigateur.demonstration import attendre
from tests.navigateur.test_rembourser import attendre_la_prise_en_compte
from tests.navigateur.test_route import creer_un_conjoint, javascript_ou_non
from tests.navigateur.visiteur import (
    ACCEPTEE,
    MONTANTS,
    NON_PRISE_EN_COMPTE,
    NON_REALISEE,
    RECAPITULATIF,
    REFUSEE,
    Visiteur,
)

pytestmark = pytest.mark.navigateur
PLUSIEURS, TRENTE = "allocataire qui a plusieurs dettes", "allocataire qui a trente dettes"
# Ce que dit chaque mot d'une dette, en une ligne, et ce qu'il change aux droits.
EXPLIQUES = {
    "Amiable": "la Caf vous demande de rembourser, sans procédure contre vous",
    "Contentieux": "la Caf a engagé une procédure pour être payée",
    "recours": "Vous contestez déjà cette dette",
    "plan": "Vous remboursez déjà cette dette par échéances",
    "Transmise": "Adressez-vous au département, et non à votre Caf",
    "Soldée": "Avoir payé n’enlève pas votre droit de contester",
    "Annulée": "vous n’avez rien à demander",
}
A_CHANGE = "Ce que vous devez a changé depuis votre saisie"


@pytest.fixture(params=[True, False], ids=["avec JavaScript", "sans JavaScript"])
def visiteur(ouvrir, request) -> Visiteur:
    """Une personne qui a plusieurs dettes."""
    visiteur = ouvrir(javascript=request.param)
    visiteur.se_connecter(PLUSIEURS)
    return visiteur


def ouvrir_la_demarche(visiteur: Visiteur, reference: str) -> None:
    visiteur.aller(f"mon-compte/demarches/{reference}/")


def lire_bientot(visiteur: Visiteur, phrase: str) -> None:
    """Recharge la page jusqu'à ce que cette phrase y soit, puis la regarde."""

    def est_dite() -> bool:
        visiteur.page.reload()
        return visiteur.page.locator("main").get_by_text(phrase).count() > 0

    attendre(est_dite, 120, phrase)
    visiteur.regarder()


def test_une_demarche_a_terminer_puis_abandonnee(visiteur):
    visiteur.commencer()
    visiteur.informer()
    visiteur.choisir_un_montant("20")
    visiteur.presser("Voir la répartition")
    visiteur.lire("Répartition prévue")
    reference = visiteur.page.url.split("/")[-3]

    visiteur.aller("mon-compte/demarches/")
    visiteur.lire("Montants à choisir")
    visiteur.regarder()
    ouvrir_la_demarche(visiteur, reference)
    visiteur.lire("Cette démarche est à terminer")
    visiteur.regarder()
    visiteur.suivre("Reprendre")
    visiteur.voir(MONTANTS)
    expect(visiteur.page.get_by_label("Montant à rembourser")).to_have_value("20")
    visiteur.lire("Vous reprenez votre démarche là où vous l’aviez laissée")
    visiteur.abandonner()
    visiteur.regarder()
    visiteur.presser("Abandonner la démarche")
    visiteur.lire("Votre démarche est abandonnée")
    visiteur.regarder()

    ouvrir_la_demarche(visiteur, reference)
    visiteur.lire("Cette démarche est abandonnée")
    visiteur.regarder()


@javascript_ou_non
def test_les_trois_etapes_et_leurs_fautes(ouvrir, demonstration, javascript):
    visiteur = ouvrir(javascript=javascript)
    visiteur.se_connecter(creer_un_conjoint(demonstration, PLUSIEURS))
    visiteur.aller("rembourser/")
    visiteur.regarder()
    visiteur.page.locator("main summary").first.click()
    visiteur.examiner()
    visiteur.presser("Continuer")
    visiteur.lire("Lisez les mentions, puis cochez la case pour continuer")
    visiteur.lire("payer autrement")
    visiteur.regarder()
    visiteur.cocher("J’ai pris connaissance")
    visiteur.presser("Continuer")
    visiteur.voir(MONTANTS)
    visiteur.regarder()
    visiteur.choisir_un_montant("20")
    visiteur.presser("Voir la répartition")
    visiteur.lire("Répartition prévue")
    visiteur.regarder()
    visiteur.presser("L’ajuster dette par dette")
    visiteur.lire("Changez ce que vous voulez")
    visiteur.regarder()
    visiteur.presser("Continuer")
    visiteur.voir(RECAPITULATIF)
    visiteur.regarder()


def test_refusee_et_non_realisee_a_leur_page_et_dans_le_suivi(visiteur):
    dette = visiteur.choisir_les_grandes()[0]
    visiteur.preparer({dette: "2,60"})
    visiteur.partir_payer()
    visiteur.payer_par_carte(REFUSEE)
    for _ in range(2):
        visiteur.saisir_la_carte(REFUSEE)
    refusee = visiteur.revenir(NON_PRISE_EN_COMPTE)
    visiteur.regarder()
    ouvrir_la_demarche(visiteur, refusee)
    visiteur.lire("Refusée par la banque")
    visiteur.regarder()

    visiteur.preparer({dette: "2,70"})
    visiteur.partir_payer()
    visiteur.presser("Annuler et retourner à la boutique")
    visiteur.voir(NON_REALISEE)
    visiteur.regarder()
    ouvrir_la_demarche(visiteur, visiteur.page.url.rstrip("/").split("/")[-2])
    visiteur.lire("Non réalisée")
    visiteur.regarder()


def test_une_part_rendue_au_back_office_se_lit_avant_qu_un_agent_agisse(visiteur):
    dette = visiteur.choisir_les_grandes()[0]
    visiteur.preparer({dette: "5,20"})
    reference = visiteur.payer()
    visiteur.regarder()
    attendre_la_prise_en_compte(visiteur)
    visiteur.regarder()

    visiteur.demonstration.rembourser(reference, centimes=210)

    ouvrir_la_demarche(visiteur, reference)
    lire_bientot(visiteur, "2,10\xa0€ de ce paiement vous sont rendus")
    visiteur.lire("revient sur la carte qui avait servi à payer")
    visiteur.lire("2,10\xa0€ sont encore comptés sur vos dettes : elles remonteront d’autant")
    visiteur.lire("Un agent de votre Caf s’en occupe")
    visiteur.aller(f"paiements/{reference}/retour/")
    visiteur.lire("2,10\xa0€ de ce paiement vous ont été rendus depuis")
    visiteur.regarder()


def test_un_paiement_annule_ou_rendu_en_entier_le_dit_et_rouvre_ses_dettes(visiteur):
    dette = visiteur.choisir_les_grandes()[0]
    avant = visiteur.lire_les_soldes()[dette]
    visiteur.preparer({dette: "3,40"})
    reference = visiteur.payer()
    attendre_la_prise_en_compte(visiteur)

    visiteur.demonstration.annuler(reference)

    ouvrir_la_demarche(visiteur, reference)
    lire_bientot(visiteur, "Ce paiement a été annulé")
    visiteur.lire("Dettes remboursées, puis rouvertes")
    assert visiteur.lire_les_soldes()[dette] == avant
    visiteur.aller(f"mon-compte/dettes/{dette}/")
    visiteur.lire("Paiement repris")
    visiteur.regarder()
    visiteur.aller("mon-compte/demarches/")
    visiteur.regarder()


def test_un_debit_qui_n_est_pas_celui_demande_se_dit_partout(visiteur):
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "2,80"})
    # PayZen ne répond plus à nos questions : ce que la notification a dit de faux reste à examiner.
    visiteur.demonstration.regler(pannes={"ipn": {"genre": "montant_autre", "fois": 1}, "rest": "erreur_500"})
    visiteur.partir_payer()
    visiteur.payer_par_carte(ACCEPTEE)
    visiteur.voir("Paiement accepté")

    reference = visiteur.revenir("Nous vérifions un débit annoncé par votre banque.")

    visiteur.lire("Ne payez pas de nouveau")
    visiteur.regarder()
    ouvrir_la_demarche(visiteur, reference)
    visiteur.lire("votre carte a peut-être été débitée")
    expect(visiteur.page.get_by_role("button", name="Recommencer")).to_have_count(0)
    visiteur.regarder()
    visiteur.aller("mon-compte/dettes/")
    visiteur.lire("qu’un agent de votre Caf examine")
    visiteur.regarder()


def test_ce_que_le_conjoint_a_paye_entre_temps_se_lit_avant_de_payer(ouvrir, demonstration, visiteur):
    conjoint = ouvrir(javascript=visiteur.javascript)
    conjoint.se_connecter(creer_un_conjoint(demonstration, PLUSIEURS))
    grandes, dettes = visiteur.choisir_les_grandes(), visiteur.lire_les_soldes()
    reservees = visiteur.page.locator("article.dette", has_text="réservés").locator(".reference").all_inner_texts()
    dette = next(reference for reference in grandes if reference not in reservees)
    visiteur.preparer({dette: str(dettes[dette])})
    conjoint.preparer({dette: "1"})
    paye = conjoint.payer()

    visiteur.presser("Payer ")

    visiteur.voir(RECAPITULATIF)
    visiteur.lire(A_CHANGE)
    visiteur.regarder()
    ouvrir_la_demarche(visiteur, paye)
    visiteur.lire(paye)
    visiteur.regarder()


def test_une_mise_a_jour_de_la_caf_fait_patienter_puis_l_on_paie(ouvrir):
    visiteur = ouvrir(javascript=False)  # avec, la page repart seule au milieu de l'examen
    visiteur.se_connecter(PLUSIEURS)
    visiteur.preparer({visiteur.choisir_les_grandes()[0]: "2,90"})
    with psycopg.connect(visiteur.demonstration.get_base()) as importation:
        importation.execute("SELECT FROM dettes_dette ORDER BY id FOR NO KEY UPDATE")

        visiteur.presser("Payer ")

        visiteur.voir("Vos dettes sont en cours de mise à jour")
        visiteur.lire("Rien n’a été demandé à votre banque")
    visiteur.presser("Réessayer")
    visiteur.presser("Continuer vers PayZen")
    visiteur.voir("Avec quelle carte payez-vous ?")
    visiteur.presser("Annuler et retourner à la boutique")
    visiteur.voir(NON_REALISEE)


def test_chaque_situation_d_une_dette(ouvrir):
    visiteur = ouvrir()
    visiteur.se_connecter(TRENTE)
    visiteur.aller("mon-compte/dettes/")
    visiteur.regarder()
    cartes = visiteur.page.locator("article.dette").all()
    # « Amiable, en recours », « Soldée » : une dette de chaque.
    situations = {
        carte.locator(".dette__sous").first.inner_text().split("·")[0]: carte.locator("h3 a").get_attribute("href")
        for carte in cartes
    }
    assert len(situations) >= 5, situations

    for situation, adresse in situations.items():
        visiteur.aller(adresse.lstrip("/"))
        visiteur.lire("Vos droits")
        for phrase in (phrase for mot, phrase in EXPLIQUES.items() if mot in situation):
            visiteur.lire(phrase)
        visiteur.regarder()
