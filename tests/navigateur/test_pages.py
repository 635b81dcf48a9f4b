"""Les pages d'à côté, à 320 et 1440 px, et la première connexion."""

import csv

import pytest

pytestmark = pytest.mark.navigateur
# La galerie de nos composants : ses lecteurs lisent le français.
EN_FRANCAIS = ("composants/",)
PAGES = {
    "": "Rembourser ma Caf en ligne",
    "aide/": "Aide",
    "accessibilite/": "Déclaration d’accessibilité",
    "donnees-personnelles/": "Données personnelles",
    "mentions-legales/": "Mentions légales",
    "plan/": "Plan du site",
    "mot-de-passe-oublie/": "Mot de passe oublié",
    "n-existe-pas/": "Cette page n’existe pas",
    "aide/?a=%00": "Nous n’avons pas compris cette demande",
    "connexion/": "Se connecter",
    "premiere-connexion/": "Choisissez votre mot de passe",
    "compte-ferme/": "Ce compte est fermé",
    "composants/": "Tous les composants, dans tous leurs états",
}
CHEZ_SOI = {
    "mon-compte/": "Mon compte",
    "mon-compte/dettes/": "Mes dettes",
    "mon-compte/demarches/": "Mes démarches",
    "rembourser/": "Vous n’avez rien à rembourser ici",
    "compte/mot-de-passe/": "Changer mon mot de passe",
    "compte/sessions/": "Mes appareils connectés",
    "compte/confirmation/": "Confirmez que c’est vous",
    "compte/double-authentification/": "Double authentification",
    "deconnexion/": "Se déconnecter ?",
}


def voir_toutes(visiteur, pages: dict[str, str]) -> None:
    for chemin, titre in pages.items():
        visiteur.aller(chemin)
        visiteur.voir(titre)
        if not chemin.startswith(EN_FRANCAIS):
            visiteur.regarder()


def test_les_pages_d_a_cote_se_lisent_sur_un_telephone_et_un_grand_ecran(visiteur):
    voir_toutes(visiteur, PAGES)


@pytest.mark.parametrize("javascript", [True, False], ids=["avec JavaScript", "sans JavaScript"])
def test_les_pages_de_qui_ne_doit_rien(ouvrir, javascript):
    visiteur = ouvrir(javascript=javascript)
    visiteur.se_connecter("allocataire sans dette")
    visiteur.voir("Mon compte")

    voir_toutes(visiteur, CHEZ_SOI)


def test_un_formulaire_perime_se_dit(visiteur):
    visiteur.aller("connexion/")
    visiteur.page.context.clear_cookies()

    visiteur.presser("Se connecter")

    visiteur.voir("Cette page a expiré")


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
