"""L'agent à son bureau : sa deuxième clé, la fiche d'un paiement, une anomalie et sa sortie."""

import pytest

from tests.navigateur.demonstration import attendre
from tests.navigateur.visiteur import ACCEPTEE, RECAPITULATIF, Visiteur

pytestmark = pytest.mark.navigateur
PLUSIEURS, TRENTE = "allocataire qui a plusieurs dettes", "allocataire qui a trente dettes"


def entrer_au_bureau(agent: Visiteur, role: str) -> None:
    agent.se_connecter(role)
    agent.donner_le_code_d_agent(role)
    agent.page.wait_for_url("**/agents/")
    agent.examen.passer(agent.page)


def chercher(agent: Visiteur, liste: str, texte: str) -> None:
    """Cherche dans une liste du bureau, et ouvre la seule ligne trouvée."""
    agent.aller(f"agents/{liste}/?q={texte}")
    agent.examen.passer(agent.page)
    agent.page.locator("#result_list tbody a").first.click()
    agent.page.wait_for_url("**/change/**")
    agent.examen.passer(agent.page)


def is_a_reprendre(agent: Visiteur, reference: str) -> bool:
    """La file dit de reprendre des dettes : d'une notification, on ne savait pas quel débit est remboursé."""
    agent.aller(f"agents/paiements/anomalie/?q={reference}")
    return "Reprendre des dettes" in agent.page.content()


def test_un_agent_lit_tout_d_un_paiement_sur_une_page(ouvrir):
    allocataire, agent = ouvrir(), ouvrir()
    allocataire.se_connecter(PLUSIEURS)
    allocataire.preparer({allocataire.choisir_les_grandes()[0]: "2,30"})
    reference = allocataire.payer()
    entrer_au_bureau(agent, "agent, consultation")

    chercher(agent, "paiements/paiement", reference)

    for phrase in (reference, "soumettre à la banque", "clic sur Payer", "accepter", "le débit du paiement, accordé"):
        agent.lire(phrase)


def test_la_verification_de_la_caf_attend_un_bouton_le_temps_qu_on_la_regarde(ouvrir):
    allocataire, agent = ouvrir(), ouvrir()
    allocataire.se_connecter(TRENTE)
    allocataire.commencer()
    allocataire.informer()
    allocataire.choisir_un_montant("100")
    allocataire.presser("Continuer")
    allocataire.voir(RECAPITULATIF)
    reference = allocataire.payer()
    entrer_au_bureau(agent, "agent, gestion")

    def est_a_confirmer() -> bool:
        agent.aller(f"agents/paiements/paiement/?q={reference}")
        agent.page.locator("#result_list tbody a").first.click()
        agent.page.wait_for_url("**/change/**")
        return agent.page.get_by_role("button", name="Confirmer la vérification").count() > 0

    attendre(est_a_confirmer, 60, "la plateforme n'a pas confirmé ce paiement")
    allocataire.aller("mon-compte/dettes/")
    allocataire.lire("Vous avez effectué un paiement de 100,00\xa0€")
    geste = agent.page.locator("form", has=agent.page.get_by_role("button", name="Confirmer la vérification"))
    geste.get_by_label("Motif").fill("vu")
    agent.presser("Confirmer la vérification")

    def est_prise_en_compte() -> bool:
        allocataire.aller(f"mon-compte/demarches/{reference}/")
        return allocataire.page.get_by_text("Vos dettes sont à jour").count() > 0

    attendre(est_prise_en_compte, 60, "la démarche n'est pas prise en compte")


def test_un_agent_met_de_cote_une_anomalie_en_disant_pourquoi(ouvrir):
    allocataire, agent = ouvrir(), ouvrir()
    allocataire.se_connecter(PLUSIEURS)
    allocataire.preparer({allocataire.choisir_les_grandes()[0]: "2,40"})
    allocataire.demonstration.regler(pannes={"ipn": {"genre": "montant_autre", "fois": 1}})
    allocataire.partir_payer()
    allocataire.payer_par_carte(ACCEPTEE)
    reference = allocataire.page.locator(".resume .reference span").inner_text()
    entrer_au_bureau(agent, "agent, gestion")

    chercher(agent, "paiements/anomalie", reference)
    agent.lire("Débit de 3,40\xa0€")
    agent.lire("attendait 2,40\xa0€")
    geste = agent.page.locator("form", has=agent.page.get_by_role("button", name="Mettre de côté"))
    geste.get_by_label("Motif").fill("vu avec la comptabilité")
    agent.presser("Mettre de côté")

    agent.lire("L'anomalie est mise de côté.")
    agent.aller("agents/")
    agent.examen.passer(agent.page)
    agent.lire("que la banque tient encore")


def test_un_agent_reprend_d_une_dette_ce_que_la_banque_a_rendu(ouvrir):
    allocataire, agent = ouvrir(), ouvrir()
    allocataire.se_connecter(PLUSIEURS)
    dette = allocataire.choisir_les_grandes()[0]
    avant = allocataire.lire_les_soldes()[dette]
    allocataire.preparer({dette: "5,00"})
    reference = allocataire.payer()
    attendre(lambda: allocataire.lire_les_soldes()[dette] == avant - 5, 120, "la dette n'a pas baissé")
    allocataire.demonstration.rembourser(reference, centimes=200)
    entrer_au_bureau(agent, "agent, responsable")

    attendre(lambda: is_a_reprendre(agent, reference), 120, "PayZen n'a pas dit quel débit est remboursé")
    chercher(agent, "paiements/anomalie", reference)
    geste = agent.page.locator("form", has=agent.page.get_by_role("button", name="Reprendre ce que la banque"))
    assert geste.get_by_label(f"À reprendre à la dette {dette}").input_value() == "2,00"
    geste.get_by_label("Motif").fill("remboursé au Back Office")
    agent.presser("Reprendre ce que la banque")

    agent.lire("la banque tient encore 3,00\xa0€")
    assert allocataire.lire_les_soldes()[dette] == avant - 3
    allocataire.aller("mon-compte/demarches/")
    allocataire.page.locator("main article a").first.click()
    allocataire.examen.passer(allocataire.page)
    allocataire.lire("vous sont rendus")
