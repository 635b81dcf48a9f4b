import io
from decimal import Decimal

import pytest
from django.urls import reverse
from pypdf import PdfReader

from tests.factories import PaiementFactory, UtilisateurFactory, dire
from tests.paiements.livres import lire_la_structure

pytestmark = pytest.mark.django_db


def telecharger(client, paiement, utilisateur=None):
    client.force_login(utilisateur or paiement.demarche.auteur)
    return client.get(reverse("paiements:attestation", args=[paiement.reference]))


def test_l_attestation_dit_ce_que_le_paiement_a_change(client):
    paiement = PaiementFactory(montant=Decimal("120.00"), impute=True)

    reponse = telecharger(client, paiement)

    [page] = PdfReader(io.BytesIO(reponse.content)).pages
    texte = page.extract_text().replace("\u00a0", " ")
    dette = paiement.imputations.get().dette
    for morceau in ("Attestation de prise en compte", paiement.reference, dette.reference, "120,00 €", "780,00 €"):
        assert morceau in texte


def test_un_lecteur_d_ecran_y_trouve_titres_et_entetes_de_tableau_dans_l_ordre(client):
    """RGAA 13.3, comme du ticket."""
    pdf = PdfReader(io.BytesIO(telecharger(client, PaiementFactory(impute=True)).content))
    balises = [noeud["/S"] for noeud in lire_la_structure(pdf.trailer["/Root"]["/StructTreeRoot"])]

    assert [b for b in balises if b in ("/H1", "/H2", "/L", "/Table")] == ["/H1", "/H2", "/L", "/H2", "/Table"]
    assert "/TH" in balises


@pytest.mark.parametrize("trait", [{}, {"accepte": True}, {"verifie": True}, {"refuse": True}])
def test_rien_ne_s_atteste_avant_que_les_dettes_aient_baisse(client, trait):
    assert telecharger(client, PaiementFactory(**trait)).status_code == 404


def test_un_paiement_repris_ne_s_atteste_plus(client):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CANCELLED")

    assert telecharger(client, paiement).status_code == 404


def test_l_attestation_d_un_autre_n_existe_pas(client):
    assert telecharger(client, PaiementFactory(impute=True), UtilisateurFactory()).status_code == 404


def test_le_detail_de_la_demarche_y_mene(client):
    paiement = PaiementFactory(impute=True)
    client.force_login(paiement.demarche.auteur)

    page = client.get(reverse("suivi:detail", args=[paiement.demarche.reference])).content.decode()

    assert reverse("paiements:attestation", args=[paiement.reference]) in page
