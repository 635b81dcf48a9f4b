"""Une panne entre l'import et la reprise du trop-payé n'oublie rien, et ne reprend rien deux fois."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from dettes import encaissements
from dettes.importation import importer
from dettes.models import Dette
from paiements import tasks
from paiements.documents import attestations
from paiements.models import Paiement
from paiements.retours import trop_percu
from tests.courses import en_meme_temps
from tests.factories import DemarcheFactory, PaiementFactory
from tests.paiements.livres import lire_le_pdf

SOLDEE = {"solde": "0", "situation": "SOLDEE"}
CREDIT = SOLDEE | {"solde_crediteur": "7000"}


@pytest.fixture(autouse=True)
def chez_soi(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def interrompu(livrer, tmp_path):
    """120 € partis dans le fichier n° 1 ; la Caf dit 50 €, et rien ne suit la fin de l'import."""
    importer(livrer())
    dette = Dette.objects.get()
    demarche = DemarcheFactory(auteur=dette.allocataire.utilisateurs.get(), lignes={dette: Decimal(120)})
    paiement = PaiementFactory(demarche=demarche, impute=True)
    encaissements.emettre(dette.caf, tmp_path / "emis")
    importer(livrer([{"solde": "5000"}], sequence=2))
    return paiement


def get_a_placer(paiement):
    paiement.refresh_from_db()
    return paiement.a_placer


def test_le_trop_paye_se_reprend_seul(interrompu):
    tasks.reprendre_les_trop_payes()
    tasks.reprendre_les_trop_payes()

    assert get_a_placer(interrompu) == 70
    assert not Dette.objects.filter(a_reprendre__isnull=False).exists()


def test_la_version_1_qui_ne_sait_plus_le_dire_ne_l_oublie_pas(interrompu, livrer):
    importer(livrer([SOLDEE], sequence=3, derniere_sequence_encaissements=1))

    tasks.reprendre_les_trop_payes()

    assert (get_a_placer(interrompu), Dette.objects.get().solde) == (70, 0)


def test_ce_que_la_livraison_suivante_redit_ne_s_ajoute_pas(interrompu, livrer):
    importer(livrer([CREDIT], sequence=3, version=2, derniere_sequence_encaissements=1))

    tasks.reprendre_les_trop_payes()

    assert get_a_placer(interrompu) == 70


@pytest.mark.parametrize(("solde", "version"), [("20000", 1), ("0", 2)])
def test_ce_que_la_caf_ne_dit_plus_de_trop_ne_se_reprend_pas(interrompu, livrer, solde, version):
    importer(livrer([{"solde": solde}], sequence=3, version=version, derniere_sequence_encaissements=1))

    tasks.reprendre_les_trop_payes()

    assert get_a_placer(interrompu) == 0


@pytest.mark.django_db(transaction=True)
def test_deux_reprises_a_la_fois_n_en_font_qu_une():
    paiement = PaiementFactory(impute=True)
    dette = paiement.demarche.lignes.get().dette
    Dette.objects.filter(pk=dette.pk).update(a_reprendre=70)

    en_meme_temps(*[lambda: trop_percu.reprendre(dette.pk, "deux à la fois")] * 2)

    assert get_a_placer(paiement) == 70
    assert not dette.anomalies.exists()


def test_ce_que_la_caf_reprend_d_une_dette_ne_se_dit_ni_rendu_ni_remonte(interrompu, client):
    tasks.reprendre_les_trop_payes()
    client.force_login(interrompu.demarche.auteur)

    demarche = client.get(reverse("suivi:detail", args=[interrompu.demarche.reference])).content.decode()
    dette = client.get(reverse("dettes:detail", args=[Dette.objects.get().reference])).content.decode()
    attestation = lire_le_pdf(attestations.rendre_pdf(attestations.lire(Paiement.objects.get(pk=interrompu.pk))))

    assert "70,00\xa0€ de ce paiement ne sont comptés sur aucune dette." in demarche
    assert "Ne compte plus sur la dette" in demarche
    assert "Cette part du paiement ne compte plus sur cette dette." in dette
    for page in (demarche, dette, attestation):
        assert not re.search("remont|revenu sur votre compte|ont été rendus|déjà baissé", page)
