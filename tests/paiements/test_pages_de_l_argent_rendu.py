"""Ce que l'allocataire lit de l'argent que la banque lui a rendu, ou n'a pas pris."""

import pytest
from django.urls import reverse

from paiements.retours import reprise
from tests.factories import dire
from tests.paiements.livres import baisser, crediter, rembourser, reprendre

pytestmark = pytest.mark.django_db


@pytest.fixture
def lire_la_demarche(client):
    def lire(paiement):
        client.force_login(paiement.demarche.auteur)
        return client.get(reverse("suivi:detail", args=[paiement.demarche.reference])).content.decode()

    return lire


def test_l_allocataire_lit_ce_qui_lui_a_ete_rendu(lire_la_demarche, paye, agent):
    paiement = paye(impute=True)
    reprendre(rembourser(paiement, 70), agent)

    page = lire_la_demarche(paiement)

    assert "70,00\xa0€ de ce paiement vous sont rendus" in page
    assert "Ne compte plus sur la dette" in page


def test_ce_qui_est_rendu_avant_le_dernier_remboursement_reste_ecrit(lire_la_demarche, paye, agent):
    paiement = paye(impute=True)
    reprendre(rembourser(paiement, 70), agent)
    crediter(paiement, 80, uuid="d" * 32)
    dire(paiement, "AUTHORISED", uuid="e" * 32, trans_id="900009", montant=80)

    page = lire_la_demarche(paiement)

    assert (
        page.count("Ne compte plus sur la dette") == 3
    )  # 50 € d’une dette, 20 € de l’autre, puis les 80 € qui y restaient
    assert "La banque tient encore 80,00\xa0€" in page


def test_on_dit_le_montant_debite_et_non_celui_demande(client, lire_la_demarche, paye, agent):
    paiement = paye(accepte=True)
    reprise.admettre(baisser(paiement, 120), motif="oui", agent=agent)

    detail = lire_la_demarche(paiement)
    liste = client.get(reverse("dettes:liste")).content.decode()

    assert "Vous avez effectué un paiement de 120,00\xa0€" in liste
    assert "demandés\xa0; votre banque a débité 120,00\xa0€" in detail
