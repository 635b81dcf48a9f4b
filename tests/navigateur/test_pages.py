"""Les pages d'à côté, à 320 et 1440 px, et la première connexion."""

import csv

import pytest

pytestmark = pytest.mark.navigateur
PAGES = {
    "": "Rembourser ma Caf en ligne",
    "aide/": "Aide",
    "accessibilite/": "Déclaration d’accessibilité",
    "donnees-personnelles/": "Données personnelles",
    "mentions-legales/": "Mentions légales",
    "plan/": "Plan du site",
    "mot-de-passe-oublie/": "Mot de passe oublié",
    "n-existe-pas/": "Cette page n’existe pas",
}


def test_les_pages_d_a_cote_se_lisent_sur_un_telephone_et_un_grand_ecran(visiteur):
    for chemin, titre in PAGES.items():
        visiteur.aller(chemin)

        visiteur.voir(titre)


def test_une_dette_se_lit_du_motif_aux_droits(visiteur):
    visiteur.se_connecter("allocataire qui a plusieurs dettes")
    visiteur.voir("Mon compte")
    reference = next(iter(visiteur.lire_les_soldes()))

    visiteur.page.locator("article.dette a").first.click()
    visiteur.page.wait_for_url(f"**/dettes/{reference}/")

    visiteur.lire("Payer n’enlève pas votre droit de contester.")
    visiteur.examen.passer(visiteur.page)


def test_le_code_recu_par_courrier_ouvre_le_compte(visiteur, tmp_path):
    identifiant = visiteur.demonstration.get_compte("allocataire sans dette")["identifiant"]
    codes = tmp_path / "codes.csv"
    visiteur.demonstration.gerer(
        "emettre_codes", identifiant[:3], "--sortie", str(codes), "--identifiant", identifiant, "--appliquer"
    )
    lignes = csv.reader(codes.read_text().splitlines(), delimiter=";")
    code = {compte.replace(" ", ""): code for compte, code in lignes}[identifiant]
    visiteur.aller("connexion/")
    visiteur.suivre("choisissez votre mot de passe")
    visiteur.voir("Choisissez votre mot de passe")

    mot_de_passe = "vipo-sane-luto-rami"
    champs = visiteur.page.locator("main form input:not([type=hidden])").all()
    for champ, saisie in zip(champs, [identifiant, code, mot_de_passe, mot_de_passe], strict=True):
        champ.fill(saisie)
    visiteur.presser("Enregistrer et me connecter")

    visiteur.voir("Mon compte")
    visiteur.demonstration.get_compte("allocataire sans dette")["mot_de_passe"] = mot_de_passe
