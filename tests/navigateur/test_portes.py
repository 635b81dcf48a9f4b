"""La porte, dans un vrai navigateur : une clé de sécurité, un mot de passe relu, une session qui va se fermer."""

import pytest
from playwright.sync_api import expect

from tests.navigateur.visiteur import Visiteur

pytestmark = pytest.mark.navigateur
CONSULTATION = "agent, consultation"
CLE = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def agent(visiteur: Visiteur) -> Visiteur:
    """Un agent et sa clé de sécurité ; un navigateur n'en accepte pas d'une adresse en chiffres."""
    demonstration = visiteur.demonstration
    visiteur.aller = lambda chemin, site="service": visiteur.page.goto(  # type: ignore[method-assign]
        demonstration.get_adresse(site, chemin).replace("127.0.0.1", "localhost")
    )
    outils = visiteur.page.context.new_cdp_session(visiteur.page)
    outils.send("WebAuthn.enable")
    outils.send("WebAuthn.addVirtualAuthenticator", {"options": CLE})
    return visiteur


def test_une_cle_de_securite_s_ajoute_puis_ouvre_le_bureau(agent: Visiteur) -> None:
    agent.se_connecter(CONSULTATION)
    agent.donner_le_code_d_agent(CONSULTATION)
    agent.page.wait_for_url("**/agents/")

    agent.aller("compte/double-authentification/cles/ajouter/")
    agent.voir("Confirmez que c’est vous")
    agent.page.get_by_label("Code").fill(agent.demonstration.prendre_un_code(CONSULTATION))
    agent.presser("Confirmer")
    agent.voir("Ajouter une clé de sécurité")
    agent.page.get_by_label("Nom de la clé").fill("Clé du bureau")
    agent.presser("Ajouter cette clé")
    agent.voir("Vos codes de secours")
    agent.aller("compte/double-authentification/cles/")
    agent.voir("Vos clés de sécurité")
    agent.lire("Clé du bureau")
    agent.presser("Se déconnecter")

    agent.se_connecter(CONSULTATION)
    agent.voir("Entrez votre code de sécurité")
    agent.presser("Présenter ma clé")
    agent.page.wait_for_url("**/agents/")


def test_un_mot_de_passe_se_relit_et_part_cache(visiteur: Visiteur) -> None:
    visiteur.aller("connexion/")
    champ = visiteur.page.locator("#id_password")
    champ.fill("lune-seau-brique-feu")

    visiteur.presser("Afficher")
    expect(champ).to_have_attribute("type", "text")
    visiteur.voir("Se connecter")
    visiteur.presser("Afficher")

    expect(champ).to_have_attribute("type", "password")


def test_la_fin_d_une_session_s_annonce_et_se_repousse(visiteur: Visiteur) -> None:
    visiteur.page.clock.install()
    visiteur.se_connecter("allocataire sans dette")
    visiteur.voir("Mon compte")
    bandeau = visiteur.page.locator(".fin-de-session")
    expect(bandeau).to_be_hidden()

    visiteur.page.clock.fast_forward("13:05")
    expect(bandeau).to_be_in_viewport()
    visiteur.voir("Mon compte")
    visiteur.presser("Rester connecté")

    expect(bandeau).to_be_hidden()
    visiteur.aller("compte/sessions/")
    visiteur.voir("Mes appareils connectés")
