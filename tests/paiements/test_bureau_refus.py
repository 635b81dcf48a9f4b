"""Ce qu'un agent ne peut pas ouvrir le lui dit dans ses mots, et le ramène au bureau."""

import pytest
from django.urls import reverse

from tests.factories import CafFactory, PaiementFactory
from tests.paiements.bureau import fiche, geste

pytestmark = pytest.mark.django_db


def test_la_fiche_d_une_autre_caf_dit_qu_elle_n_est_pas_aux_siennes(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris")])

    for adresse in (fiche(paiement), fiche(paiement.demarche.allocataire), reverse("bureau:imprimer", args=[1])):
        reponse = client.get(adresse)
        page = reponse.content.decode()
        assert reponse.status_code == 404
        assert "Cette page n’est pas dans vos Caf" in page
        assert f'href="{reverse("admin:index")}"' in page
        assert "Vos dettes et vos paiements" not in page


def test_ce_que_son_role_n_ouvre_pas_le_dit(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer("CONSULTATION")

    for reponse in (
        client.get(reverse("admin:comptes_evenement_changelist")),
        client.post(geste(paiement, "restituer"), {"motif": "trop"}),
    ):
        page = reponse.content.decode()
        assert reponse.status_code == 403
        assert "Votre rôle n’ouvre pas cette page" in page
        assert "3230" not in page.partition("<main")[2].partition("</main")[0]


def test_un_allocataire_lit_toujours_ses_mots(client):
    assert "Cette page n’existe pas" in client.get("/n-existe-pas/").content.decode()
