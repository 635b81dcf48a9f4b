"""Une Caf qui suspend le paiement en ligne : on lit pourquoi et jusqu'à quand, et aucun bouton ne mène à un refus."""

import pytest
from playwright.sync_api import expect

from tests.navigateur.test_route import creer_une_personne

pytestmark = pytest.mark.navigateur
AUTRE_CAF = "751"  # celle des autres essais reste ouverte
AVEC_DETTES = f"Allocataire.objects.filter(caf_id={AUTRE_CAF!r}, dettes__in=Dette.objects.payables())"


@pytest.mark.parametrize("javascript", [True, False], ids=["avec JavaScript", "sans JavaScript"])
def test_service_ferme_rien_ne_mene_a_un_refus(ouvrir, demonstration, javascript):
    visiteur = ouvrir(javascript=javascript)
    visiteur.se_connecter(creer_une_personne(demonstration, AVEC_DETTES))
    visiteur.voir("Mon compte")
    demonstration.gerer(*f"suspendre_service {AUTRE_CAF} --message Travaux --retour 2030-01-15 --appliquer".split())

    try:
        for chemin, titre in {"mon-compte/": "Mon compte", "mon-compte/dettes/": "Mes dettes"}.items():
            visiteur.aller(chemin)
            visiteur.voir(titre)
            visiteur.lire("Retour prévu le 15 janvier 2030")
            expect(visiteur.page.locator("main").get_by_role("link", name="Rembourser en ligne")).to_have_count(0)
            expect(visiteur.page.locator("main").get_by_role("link", name="Payer", exact=True)).to_have_count(0)
        visiteur.aller("rembourser/")
        visiteur.voir("Le paiement en ligne est suspendu")
        visiteur.lire("Un paiement déjà enregistré n’est pas perdu.")
    finally:
        demonstration.gerer("reprendre_service", AUTRE_CAF, "--appliquer")
