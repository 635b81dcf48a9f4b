"""Un paiement de carte d'essai ne part jamais à la Caf comme un vrai."""

from decimal import Decimal

import pytest

from dettes.encaissements import emettre
from dettes.models import Dette
from paiements.causes import par_agent
from paiements.imputation.imputer import ResteImpossible, imputer_un_lot, placer
from paiements.passages import TransitionImpossible
from paiements.payzen import Mode
from paiements.verification.conclusions import confirmer
from tests.factories import FaitFactory, PaiementFactory, repondre

pytestmark = pytest.mark.django_db


def test_un_paiement_d_essai_ne_part_pas_a_la_caf_en_production(settings, tmp_path):
    paiement = PaiementFactory(impute=True)
    settings.PAYZEN_MODE = Mode.PRODUCTION

    fichier = emettre(paiement.caf, tmp_path)

    assert (paiement.mode, fichier, list(tmp_path.iterdir())) == (Mode.TEST, None, [])


def test_il_part_dans_son_mode(tmp_path):
    paiement = PaiementFactory(impute=True)

    assert emettre(paiement.caf, tmp_path).lignes == 1


def test_verifie_il_ne_s_impute_pas_en_production(settings):
    PaiementFactory(verifie=True)
    settings.PAYZEN_MODE = Mode.PRODUCTION

    assert imputer_un_lot() == 0
    assert Dette.objects.get().solde == 900


def test_il_ne_se_confirme_pas_en_production(settings, agent):
    paiement = PaiementFactory(demarche__caf__seuil_controle=1, accepte=True)
    repondre(paiement, FaitFactory(paiement=paiement, source="REST"))
    settings.PAYZEN_MODE = Mode.PRODUCTION

    with pytest.raises(TransitionImpossible, match="en TEST"):
        confirmer(paiement, motif="vu", agent=agent)


def test_son_reste_ne_se_place_pas_en_production(settings, agent):
    paiement = PaiementFactory(impute=True)
    settings.PAYZEN_MODE = Mode.PRODUCTION

    with pytest.raises(ResteImpossible, match="en TEST"):
        placer(paiement, {Dette.objects.get(): Decimal(1)}, par_agent(agent, "d'accord"))
