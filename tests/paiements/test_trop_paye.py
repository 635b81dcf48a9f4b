"""Le trop-payé : ce qu'un paiement explique reste avec lui, le reste seul est en jeu sur la dette."""

import pytest

from dettes.models import Dette
from paiements.models import Anomalie
from paiements.retours import seuil, trop_percu
from tests.factories import PaiementFactory

pytestmark = pytest.mark.django_db


def reprendre(dette, manque):
    Dette.objects.filter(pk=dette.pk).update(a_reprendre=manque)
    trop_percu.reprendre(dette.pk, "encaissements 661")


def test_seul_ce_qu_aucun_paiement_n_explique_est_en_jeu():
    paiement = PaiementFactory(impute=True)
    dette = paiement.demarche.lignes.get().dette

    reprendre(dette, 150)

    paiement.refresh_from_db()
    assert paiement.a_placer == 120
    assert seuil.get_en_jeu(Anomalie.objects.get(genre="SOLDE_NEGATIF")) == 30


def test_un_autre_manque_se_redit():
    paiement = PaiementFactory(impute=True)
    dette = paiement.demarche.lignes.get().dette
    for manque in (150, 40):
        reprendre(dette, manque)

    assert seuil.get_en_jeu(Anomalie.objects.get(genre="SOLDE_NEGATIF")) == 40
