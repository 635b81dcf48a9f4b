"""Un remboursement d'une autre devise n'ôte rien qu'on sache compter en euros : un agent le voit, et rien n'avance."""

from decimal import Decimal

import pytest

from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie
from paiements.statuts import Statut
from paiements.surveillance import invariants
from tests.factories import FaitFactory, PaiementFactory, repondre

pytestmark = pytest.mark.django_db

CREDIT = {"operation": "CREDIT", "uuid": "c" * 32, "trans_id": "900001", "statut": "CAPTURED", "source": "REST"}


def rembourser_en_dollars(paiement):
    """La plateforme, interrogée, montre le débit et un remboursement de 40 dollars."""
    debit = FaitFactory(paiement=paiement, statut="CAPTURED", source="REST")
    montant = {"montant": Decimal(40), "devise": "840"}
    repondre(paiement, debit, FaitFactory(paiement=paiement, parent=debit.uuid, **CREDIT | montant))
    paiement.refresh_from_db()


def test_il_ne_pese_pas_pour_sa_valeur_nominale_et_un_agent_le_voit():
    paiement = PaiementFactory(impute=True)

    rembourser_en_dollars(paiement)

    anomalie = paiement.anomalies.get()
    assert (paiement.solde.tenu, paiement.a_placer, paiement.solde_lu) == (120, 0, 120)
    assert (anomalie.genre, anomalie.situation) == (Anomalie.Genre.ANNULATION_BANQUE, "40.00 840")
    assert not list(invariants.verifier())


def test_rien_ne_se_verifie_tant_qu_il_est_la():
    paiement = PaiementFactory(accepte=True)

    rembourser_en_dollars(paiement)

    assert (paiement.statut, paiement.confirme_le) == (Statut.ACCEPTE, None)


def test_rien_ne_s_impute_tant_qu_il_est_la():
    paiement = PaiementFactory(verifie=True)
    rembourser_en_dollars(paiement)

    imputer_un_lot()

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.solde.impute) == (Statut.VERIFIE, 0)


@pytest.mark.parametrize("garde", [True, False])
def test_l_invariant_exige_qu_un_agent_l_ait_sous_les_yeux(garde):
    paiement = PaiementFactory(impute=True)
    rembourser_en_dollars(paiement)
    if not garde:
        anomalie = paiement.anomalies.get()
        anomalie.etapes.create(de="OUVERTE", vers="SANS_OBJET", motif="test", auteur="test")
        Anomalie.objects.filter(pk=anomalie.pk).update(etat="SANS_OBJET")

    fautes = [violation.invariant.nom for violation in invariants.verifier()]

    assert fautes == ([] if garde else ["argent_a_sa_place"])
