"""Entrer, et lire à 200 % : ce qu'un navigateur seul peut dire."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.navigateur
PLUSIEURS = "allocataire qui a plusieurs dettes"
# Deux fois la taille (RGAA 10.4) ; l'espacement de qui lit difficilement (RGAA 10.12).
GROS = "html { font-size: 200% !important }"
ESPACE = """* { line-height: 1.5em !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }"""
APPLIQUER = """(regles) => {
  const feuille = new CSSStyleSheet();
  feuille.replaceSync(regles);
  document.adoptedStyleSheets = [feuille];
}"""
# Un texte qu'une boîte trop petite cache : ce que l'on défile ou ne montre à personne n'en est pas.
COUPES = """() => [...document.querySelectorAll("main *, header *, footer *")].filter((boite) => {
  const style = getComputedStyle(boite);
  const cache = style.overflowX === "hidden" || style.overflowY === "hidden" || style.textOverflow === "ellipsis";
  const trop = boite.scrollWidth > boite.clientWidth + 1 || boite.scrollHeight > boite.clientHeight + 1;
  return cache && trop && style.clipPath === "none" && boite.textContent.trim();
}).map((boite) => `${boite.scrollWidth} px dans ${boite.clientWidth} : ${boite.outerHTML.slice(0, 80)}`)"""


def relire(visiteur, largeur: int) -> None:
    """Grossit le texte, puis l'espace : rien ne dépasse de l'écran, rien n'est coupé."""
    visiteur.page.set_viewport_size({"width": largeur, "height": 800})
    for regles in (GROS, ESPACE):
        visiteur.page.evaluate(APPLIQUER, regles)
        visiteur.examen.mesurer(visiteur.page)
        assert visiteur.page.evaluate(COUPES) == []


def test_on_entre_par_son_departement_et_l_on_montre_son_mot_de_passe(visiteur):
    compte = visiteur.demonstration.get_compte(PLUSIEURS)
    visiteur.aller("connexion/?next=/mon-compte/dettes/")
    visiteur.lire("Vous irez ensuite à Mes dettes.")
    visiteur.voir("Se connecter")
    visiteur.page.get_by_label("Identifiant").fill(f"66 {compte['identifiant'][3:]}")
    mot_de_passe = visiteur.page.get_by_label("Mot de passe", exact=True)
    mot_de_passe.fill(compte["mot_de_passe"])

    expect(visiteur.page.get_by_role("button", name="mot de passe")).to_have_count(1)
    visiteur.presser("Afficher")
    expect(mot_de_passe).to_have_attribute("type", "text")
    visiteur.presser("Se connecter")

    visiteur.voir("Mes dettes")


def test_au_retour_de_payzen_sans_session_on_lit_que_le_paiement_est_garde(visiteur):
    visiteur.aller("paiements/P-2222-2222-2222/retour/")

    visiteur.lire("Vous revenez de PayZen")
    visiteur.lire("ne payez pas une deuxième fois")


def test_imprimer_n_existe_pas_sans_javascript(ouvrir):
    sans_javascript = ouvrir(javascript=False)

    sans_javascript.aller("composants/")

    expect(sans_javascript.page.get_by_text("Imprimer")).to_be_hidden()


def test_un_texte_deux_fois_plus_gros_ou_espace_ne_deborde_ni_ne_se_coupe(visiteur):
    for largeur in (640, 320):
        for chemin in ("connexion/", "aide/", "composants/"):
            visiteur.aller(chemin)
            relire(visiteur, largeur)
    visiteur.se_connecter(PLUSIEURS)
    reference = next(iter(visiteur.lire_les_soldes()))
    for largeur in (640, 320):
        for chemin in ("mon-compte/", "mon-compte/dettes/", f"mon-compte/dettes/{reference}/"):
            visiteur.aller(chemin)
            relire(visiteur, largeur)
    visiteur.preparer({reference: "2"})
    recapitulatif = visiteur.page.url
    for largeur in (640, 320):
        for etape in ("informations", "montants", "recapitulatif"):
            visiteur.page.goto(recapitulatif.replace("/recapitulatif/", f"/{etape}/"))
            relire(visiteur, largeur)
