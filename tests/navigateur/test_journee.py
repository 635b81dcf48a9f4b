"""La journée d'un agent de chaque rôle, sans quitter /agents/ : trouver, emporter, relire."""

from pathlib import Path

import pytest

from tests.navigateur.demonstration import attendre
from tests.navigateur.visiteur import Visiteur

pytestmark = pytest.mark.navigateur
PLUSIEURS = "allocataire qui a plusieurs dettes"
ROLES = ("consultation", "gestion", "comptable", "responsable")


def entrer(agent: Visiteur, role: str) -> Visiteur:
    agent.se_connecter(f"agent, {role}")
    agent.donner_le_code_d_agent(f"agent, {role}")
    agent.page.wait_for_url("**/agents/")
    return agent


def taper(agent: Visiteur, saisie: str) -> None:
    """Tape dans le champ en tête de page."""
    agent.page.get_by_role("searchbox", name="Rechercher").fill(saisie)
    agent.page.locator("form.recherche").get_by_role("button").click()
    agent.page.wait_for_load_state()


def ouvrir_le_paiement(agent: Visiteur, reference: str) -> None:
    taper(agent, reference)
    agent.page.wait_for_url("**/paiements/paiement/*/change/")


def payer(allocataire: Visiteur, montant: str) -> tuple[str, str]:
    """Un paiement imputé ; rend sa référence et celle de la dette."""
    dette = allocataire.choisir_les_grandes()[0]
    avant = allocataire.lire_les_soldes()[dette]
    allocataire.preparer({dette: montant})
    reference = allocataire.payer()
    attendre(lambda: allocataire.lire_les_soldes()[dette] < avant, 60, "la dette n'a pas baissé")
    return reference, dette


def test_chaque_role_trouve_emporte_et_relit_sans_quitter_le_bureau(ouvrir):
    allocataire = ouvrir()
    allocataire.se_connecter(PLUSIEURS)
    reference, dette = payer(allocataire, "7,00")
    numero = allocataire.demonstration.get_compte(PLUSIEURS)["identifiant"]

    for role in ROLES:
        agent = entrer(ouvrir(), role)
        agent.examen.passer(agent.page)
        taper(agent, f"{numero[:3]} {numero[3:]}")
        agent.page.wait_for_url("**/comptes/allocataire/*/change/")
        agent.examen.passer(agent.page)
        nom = agent.page.locator("h1").inner_text()
        agent.lire(reference)
        for saisie in (dette, reference, "0055", "7,00", nom.removeprefix("Madame ").removeprefix("Monsieur ")):
            taper(agent, saisie)
            agent.lire(nom.split()[-1])
        ouvrir_le_paiement(agent, reference)
        agent.examen.passer(agent.page)
        agent.aller("agents/paiements/paiement/")
        with agent.page.expect_download() as telechargement:
            agent.page.get_by_role("link", name="Exporter en CSV").click()
        assert reference in Path(telechargement.value.path()).read_text(encoding="utf-8")
        agent.page.get_by_role("link", name="Qui a fait quoi").click()
        agent.voir("Qui a fait quoi")
