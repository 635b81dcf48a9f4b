"""La journée d'un agent de chaque rôle, sans quitter /agents/ : trouver, décider à deux, clore, emporter, relire."""

from pathlib import Path

import psycopg
import pytest

from tests.navigateur.demonstration import attendre
from tests.navigateur.visiteur import Visiteur

pytestmark = pytest.mark.navigateur
PLUSIEURS = "allocataire qui a plusieurs dettes"
ROLES = ("consultation", "gestion", "comptable", "responsable")
# Une anomalie de chaque espèce, sur un vrai paiement : la moitié ne se fabrique pas d'une page.
FABRIQUER = """
from paiements.causes import par_service
from paiements.file.tenue import signaler
from paiements.models import Anomalie, Paiement
p = Paiement.objects.for_reference("{reference}").get()
for genre in Anomalie.Genre:
    manque = 1 if genre == Anomalie.Genre.SOLDE_NEGATIF else None
    anomalie = signaler(genre, "essai:" + genre, situation="manque 1.00 €", paiement=p, transaction_payzen=p.debit,
                        manque=manque, cause=par_service("essai"))
    print("ANOMALIE", anomalie.pk, genre in Anomalie.D_ARGENT, genre.value)
"""


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


def faire(agent: Visiteur, bouton: str, **champs: str) -> None:
    """Remplit le formulaire d'un geste, et presse son bouton."""
    geste = agent.page.locator("form.geste", has=agent.page.get_by_role("button", name=bouton, exact=True))
    for libelle, saisie in champs.items():
        geste.get_by_label(libelle).fill(saisie)
    geste.get_by_role("button").click()
    agent.page.wait_for_load_state()


def payer(allocataire: Visiteur, montant: str) -> tuple[str, str]:
    """Un paiement imputé ; rend sa référence et celle de la dette."""
    dette = allocataire.choisir_les_grandes()[0]
    avant = allocataire.lire_les_soldes()[dette]
    allocataire.preparer({dette: montant})
    reference = allocataire.payer()
    attendre(lambda: allocataire.lire_les_soldes()[dette] < avant, 60, "la dette n'a pas baissé")
    return reference, dette


def lire_le_jour(allocataire: Visiteur, reference: str) -> str:
    """Le jour de ce paiement à Paris, tel qu'un agent le tape ; minuit a pu passer depuis."""
    jour = "SELECT to_char(cree_le AT TIME ZONE 'Europe/Paris', 'DD/MM/YYYY') FROM paiements_paiement"
    with psycopg.connect(allocataire.demonstration.get_base()) as base:
        [(dit,)] = base.execute(f"{jour} WHERE reference = %s", [reference]).fetchall()
    return dit


def test_chaque_role_trouve_emporte_et_relit_sans_quitter_le_bureau(ouvrir):
    allocataire = ouvrir()
    allocataire.se_connecter(PLUSIEURS)
    reference, dette = payer(allocataire, "7,00")
    numero = allocataire.demonstration.get_compte(PLUSIEURS)["identifiant"]
    trans_id = allocataire.demonstration.lister_transactions(reference)[0]["trans_id"]
    jour = lire_le_jour(allocataire, reference)

    for role in ROLES:
        agent = entrer(ouvrir(), role)
        agent.examen.passer(agent.page)
        taper(agent, f"{numero[:3]} {numero[3:]}")
        agent.page.wait_for_url("**/comptes/allocataire/*/change/")
        agent.examen.passer(agent.page)
        nom = agent.page.locator("h1").inner_text()
        agent.lire(reference)
        demarche = agent.page.locator("tr[id^=D-]", has_text=reference).get_attribute("id")
        ouvrir_le_paiement(agent, reference)
        agent.examen.passer(agent.page)
        autorisation = agent.page.locator(".field-autorisation .readonly").inner_text()
        dit = nom.removeprefix("Madame ").removeprefix("Monsieur ")
        for saisie in (dette, reference, demarche, trans_id, autorisation, "0055", "7,00", jour, dit):
            taper(agent, saisie)
            agent.lire(nom.split()[-1])
        agent.aller("agents/paiements/paiement/")
        with agent.page.expect_download() as telechargement:
            agent.page.get_by_role("link", name="Exporter en CSV").click()
        assert reference in Path(telechargement.value.path()).read_text(encoding="utf-8")
        agent.page.get_by_role("link", name="Qui a fait quoi").click()
        agent.voir("Qui a fait quoi")


def test_une_anomalie_de_chaque_espece_se_ferme(ouvrir):
    allocataire, agent, comptable = ouvrir(), ouvrir(), ouvrir()
    allocataire.se_connecter(PLUSIEURS)
    reference, _ = payer(allocataire, "2,20")
    dites = allocataire.demonstration.gerer("shell", "-c", FABRIQUER.format(reference=reference))
    anomalies = [ligne.split()[1:] for ligne in dites.splitlines() if ligne.startswith("ANOMALIE")]
    entrer(agent, "gestion")
    entrer(comptable, "comptable")
    agent.aller("agents/paiements/anomalie/")
    agent.examen.passer(agent.page)

    for cle, d_argent, genre in anomalies:
        qui, clore = (comptable, "Clore cette ligne") if genre == "LIGNE_EN_SUSPENS" else (agent, "Clore")
        qui.aller(f"agents/paiements/anomalie/{cle}/change/")
        qui.examen.passer(qui.page)
        faire(qui, "Mettre de côté" if d_argent == "True" else clore, Motif="vu avec la comptabilité")
        qui.lire("L'anomalie est mise de côté." if d_argent == "True" else "L'anomalie est close.")

    assert len(anomalies) >= 16
    ouvrir_le_paiement(agent, reference)
    faire(agent, "Interroger PayZen")
    agent.lire("PayZen a été interrogé")


def test_une_part_puis_le_reste_se_rendent_a_deux(ouvrir):
    allocataire, gestion, comptable = ouvrir(), ouvrir(), ouvrir()
    allocataire.se_connecter(PLUSIEURS)
    reference, dette = payer(allocataire, "9,00")
    paye = allocataire.lire_les_soldes()[dette]
    entrer(gestion, "gestion")
    entrer(comptable, "comptable")

    ouvrir_le_paiement(gestion, reference)
    # Une part ne se rend qu'une fois le débit remis en banque : la nuit, en vrai.
    gestion.demonstration.remettre(reference)
    part = {f"À rendre de la dette {dette}": "4,00 €", "Motif": "trop"}
    faire(gestion, "Demander la restitution d'une part", **part)
    gestion.lire("La restitution de 4,00\xa0€ est demandée")
    approuver(comptable, "4,00\xa0€")
    attendre(lambda: allocataire.lire_les_soldes()[dette] == paye + 4, 120, "la part n'est pas revenue")

    attendre(lambda: is_a_rendre(gestion), 120, "la part n'est pas rendue")
    faire(gestion, "Demander la restitution de ce qui reste", Motif="tout rendre")
    approuver(comptable, "5,00\xa0€")
    attendre(lambda: allocataire.lire_les_soldes()[dette] == paye + 9, 120, "le reste n'est pas revenu")
    gestion.page.get_by_role("link", name="Qui a fait quoi").click()
    gestion.lire("tout rendre")


def approuver(comptable: Visiteur, montant: str) -> None:
    comptable.aller("agents/")
    comptable.page.get_by_role("link", name="à approuver").first.click()
    comptable.page.locator("#result_list tbody tr", has_text=montant).get_by_role("link").first.click()
    comptable.page.wait_for_url("**/change/**")
    comptable.examen.passer(comptable.page)
    faire(comptable, "Approuver", Motif="vu")
    comptable.lire("La restitution part à la plateforme.")


def is_a_rendre(agent: Visiteur) -> bool:
    """Rien n'est en cours, et le bouton du reste est revenu ; on recharge la fiche ouverte, sans rien chercher."""
    agent.page.reload()
    return agent.page.get_by_role("button", name="Demander la restitution de ce qui reste").count() > 0


def test_au_dessus_du_seuil_un_agent_confirme(ouvrir):
    allocataire, responsable, gestion = ouvrir(), ouvrir(), ouvrir()
    entrer(responsable, "responsable")
    avant = regler_le_seuil(responsable, "6,00")
    try:
        allocataire.se_connecter(PLUSIEURS)
        dette = allocataire.choisir_les_grandes()[0]
        solde = allocataire.lire_les_soldes()[dette]
        allocataire.preparer({dette: "6,50"})
        reference = allocataire.payer()
        entrer(gestion, "gestion")

        attendre(lambda: ouvrir_a_confirmer(gestion, reference), 120, "rien n'est à confirmer")
        gestion.examen.passer(gestion.page)
        faire(gestion, "Confirmer la vérification", Motif="justificatif vu")

        gestion.lire("Le paiement est vérifié")
        attendre(lambda: allocataire.lire_les_soldes()[dette] < solde, 120, "confirmé, il ne s'impute pas")
    finally:
        regler_le_seuil(responsable, avant)


def regler_le_seuil(responsable: Visiteur, montant: str) -> str:
    """Règle le seuil au-dessus duquel on confirme ; rend ce qu'il était."""
    responsable.aller("agents/comptes/caf/661/change/")
    responsable.examen.passer(responsable.page)
    avant = responsable.page.get_by_label("Confirmer un paiement à partir de").input_value()
    faire(responsable, "Régler les seuils", **{"Confirmer un paiement à partir de": montant, "Motif": "essai"})
    responsable.lire("Les seuils sont réglés")
    return avant


def ouvrir_a_confirmer(agent: Visiteur, reference: str) -> bool:
    """Le chiffre de l'accueil mène à ce paiement."""
    agent.aller("agents/")
    agent.page.get_by_role("link", name="à confirmer").click()
    agent.page.wait_for_url("**/paiements/paiement/**")
    ligne = agent.page.locator("#result_list").get_by_role("link", name=reference)
    if not ligne.count():
        return False
    ligne.click()
    agent.page.wait_for_url("**/change/**")
    return True
