"""Un remboursement dont la banque dit un mot inconnu est peut-être parti : il retient tout, comme un débit douteux."""

import pytest

from paiements.imputation.imputer import imputer_un_lot
from paiements.models import TransactionPayzen
from paiements.retours import reprise
from paiements.statuts import Statut
from tests.factories import FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

CREDIT = {"operation": "CREDIT", "uuid": "c" * 32, "source": "REST"}


def test_rien_ne_s_impute_sous_un_credit_douteux():
    paiement = PaiementFactory(verifie=True)
    dire(paiement, "MOT_INCONNU", parent=paiement.debit_id, **CREDIT)

    imputer_un_lot()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE


def test_rien_ne_se_verifie_sous_un_credit_douteux():
    paiement = PaiementFactory(accepte=True)
    debit = FaitFactory(paiement=paiement, source="REST")
    credit = FaitFactory(paiement=paiement, statut="MOT_INCONNU", parent=debit.uuid, trans_id="900001", **CREDIT)

    repondre(paiement, debit, credit)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE


def test_un_agent_dit_qu_il_n_est_pas_parti_et_le_paiement_s_impute(agent):
    paiement = PaiementFactory(verifie=True)
    dire(paiement, "MOT_INCONNU", parent=paiement.debit_id, **CREDIT)
    imputer_un_lot()

    reprise.trancher(
        paiement.anomalies.get(), TransactionPayzen.Verdict.DEFAITE, motif="rien de parti, vu", agent=agent
    )
    paiement.refresh_from_db()
    paiement.imputer_le = paiement.cree_le
    paiement.save(update_fields=["imputer_le"])
    imputer_un_lot()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
