"""Un paiement de carte d'essai ne part jamais à la Caf comme un vrai."""

import pytest

from dettes.encaissements import emettre
from paiements.payzen import Mode
from tests.factories import PaiementFactory

pytestmark = pytest.mark.django_db


def test_un_paiement_d_essai_ne_part_pas_a_la_caf_en_production(settings, tmp_path):
    paiement = PaiementFactory(impute=True)
    settings.PAYZEN_MODE = Mode.PRODUCTION

    fichier = emettre(paiement.caf, tmp_path)

    assert (paiement.mode, fichier, list(tmp_path.iterdir())) == (Mode.TEST, None, [])


def test_il_part_dans_son_mode(tmp_path):
    paiement = PaiementFactory(impute=True)

    assert emettre(paiement.caf, tmp_path).lignes == 1
