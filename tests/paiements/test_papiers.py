"""Un papier se vérifie par sa référence et son code : au bureau, et par une commande."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from comptes.models import Evenement
from paiements.documents import attestations, tickets
from paiements.models import Paiement
from tests.factories import CafFactory, PaiementFactory, avancer_d_un
from tests.paiements.livres import lire_le_pdf

pytestmark = pytest.mark.django_db


@pytest.fixture
def paiement() -> Paiement:
    impute = PaiementFactory(impute=True)
    return Paiement.objects.select_related("demarche__allocataire", "caf", "debit", "solde").get(pk=impute.pk)


def lire_la_commande(paiement: Paiement, code: str) -> str:
    sortie = StringIO()
    call_command("verifier_papier", paiement.demarche.reference, code, stdout=sortie)
    return sortie.getvalue().replace("\u202f", "\u00a0")


def presenter(client: Client, reference: str, code: str) -> str:
    """Ce que lit l'agent qui recopie ces deux lignes."""
    page = client.post(reverse("admin:verifier_un_papier"), {"reference": reference, "code": code}).content.decode()
    return page.replace("\u202f", "\u00a0")


def test_le_ticket_et_l_attestation_portent_le_meme_code_que_la_base(paiement):
    papiers = [tickets.rendre_pdf(tickets.lire(paiement)), attestations.rendre_pdf(attestations.lire(paiement))]

    assert all(paiement.code in lire_le_pdf(papier) for papier in papiers)
    assert len(paiement.code) == 8


def test_chaque_paiement_a_son_code(paiement):
    assert PaiementFactory(accepte=True).code != paiement.code


def test_le_code_ne_depend_d_aucune_cle(paiement, settings):
    settings.SECRET_KEY = "une toute autre clé, après rotation"

    assert tickets.lire(Paiement.objects.get()).code == paiement.code
    assert "120,00\u00a0€" in lire_la_commande(paiement, paiement.code)


def test_la_base_refuse_de_changer_un_code(paiement):
    with pytest.raises(DatabaseError), transaction.atomic():
        Paiement.objects.filter(pk=paiement.pk).update(code="00000000")


@pytest.mark.parametrize("ecrire", [str, str.lower, lambda code: f" {code[:4]}-{code[4:]} "])
def test_l_agent_lit_ce_que_le_papier_doit_dire(client, entrer, paiement, ecrire):
    entrer("CONSULTATION")

    page = presenter(client, paiement.demarche.reference.lower(), ecrire(paiement.code))

    dette = paiement.demarche.lignes.get().dette
    for morceau in ("Ce code est bien celui de ce paiement", "120,00\u00a0€", "780,00\u00a0€", dette.reference):
        assert morceau in page
    assert Evenement.objects.filter(genre=Evenement.Genre.CONSULTATION, objet__contains="paiement").exists()


def test_un_code_faux_ne_montre_rien_du_dossier(client, entrer, paiement):
    entrer("CONSULTATION")

    page = presenter(client, paiement.demarche.reference, "00000000")

    assert "Ce papier n’est pas de nous" in page
    assert paiement.demarche.allocataire.nom not in page
    assert "120,00" not in page


def test_le_papier_d_une_autre_caf_est_inconnu(client, entrer, paiement):
    entrer("CONSULTATION", cafs=[CafFactory(code="751")])

    assert "aucun paiement encaissé ne porte cette référence" in presenter(client, paiement.reference, paiement.code)


def test_un_papier_d_avant_un_impaye_ne_compte_plus(client, entrer):
    paiement = PaiementFactory(accepte=True)
    avancer_d_un("rejeter", paiement)
    entrer("CONSULTATION")

    assert "il ne compte plus dans les remboursements" in presenter(client, paiement.reference, paiement.code)


def test_la_commande_dit_ce_que_le_papier_doit_dire_sans_nommer_personne(paiement):
    sortie = lire_la_commande(paiement, paiement.code.lower())

    assert "Ticket : 120,00\u00a0€" in sortie
    assert "Attestation : 120,00\u00a0€ déduits des dettes." in sortie
    assert paiement.demarche.allocataire.nom not in sortie


def test_la_commande_echoue_sur_un_papier_qui_n_est_pas_de_nous(paiement):
    with pytest.raises(CommandError, match="son code est un autre"):
        lire_la_commande(paiement, "00000000")
