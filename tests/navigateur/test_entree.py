"""Entrer, et lire à 200 % : ce qu'un navigateur seul peut dire."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.navigateur
PLUSIEURS = "allocataire qui a plusieurs dettes"
GROSSIR = """() => {
  const feuille = new CSSStyleSheet();
  feuille.replaceSync("html { font-size: 200% !important }");
  document.adoptedStyleSheets = [feuille];
}"""


def grossir(visiteur, largeur: int) -> None:
    """Double la taille du texte, et constate que rien ne dépasse de l'écran."""
    visiteur.page.set_viewport_size({"width": largeur, "height": 800})
    visiteur.page.evaluate(GROSSIR)
    visiteur.examen.mesurer(visiteur.page)


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


def test_un_texte_deux_fois_plus_gros_ne_deborde_pas(visiteur):
    for largeur in (640, 320):
        for chemin in ("connexion/", "aide/", "composants/"):
            visiteur.aller(chemin)
            grossir(visiteur, largeur)
    visiteur.se_connecter(PLUSIEURS)
    reference = next(iter(visiteur.lire_les_soldes()))
    for largeur in (640, 320):
        for chemin in ("mon-compte/", "mon-compte/dettes/", f"mon-compte/dettes/{reference}/"):
            visiteur.aller(chemin)
            grossir(visiteur, largeur)
    visiteur.preparer({reference: "2"})
    recapitulatif = visiteur.page.url
    for largeur in (640, 320):
        for etape in ("informations", "montants", "recapitulatif"):
            visiteur.page.goto(recapitulatif.replace("/recapitulatif/", f"/{etape}/"))
            grossir(visiteur, largeur)
