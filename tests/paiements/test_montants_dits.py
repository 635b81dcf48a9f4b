"""Le montant effectif, sa devise, une hausse : tout ce que la banque dit d'un montant se regarde (PROTOCOLE §5)."""

from decimal import Decimal
from itertools import permutations

import pytest

from paiements.models import Anomalie
from paiements.retours import reprise
from paiements.statuts import Statut
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre

DESACCORDS = [{"effectif": Decimal("3.00")}, {"devise_effective": "840"}, {"montant": Decimal("150.00")}]


@pytest.mark.parametrize("autre", DESACCORDS, ids=str)
def test_un_desaccord_se_montre_dans_un_ordre_comme_dans_l_autre(autre):
    issues = []
    for suite in permutations([{}, autre]):
        paiement = PaiementFactory()
        for champs in suite:
            dire(paiement, "AUTHORISED", **champs)
        paiement.refresh_from_db()
        debit, anomalie = paiement.transactions.get(), paiement.anomalies.get()
        issues.append((paiement.statut, anomalie.genre, anomalie.situation, debit.montant, debit.montant_haut))

    assert issues[0] == issues[1]
    assert issues[0][:2] == (Statut.ACCEPTE, Genre.MONTANT_DIFFERENT)


@pytest.mark.parametrize("autre", DESACCORDS, ids=str)
def test_rien_ne_se_verifie_d_un_debit_dont_les_montants_se_contredisent(autre):
    paiement = PaiementFactory(accepte=True)
    dire(paiement, "AUTHORISED", **autre)

    repondre(paiement, FaitFactory(paiement=paiement, source="REST"))

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.confirme_le) == (Statut.ACCEPTE, None)


@pytest.mark.parametrize("autre", DESACCORDS, ids=str)
def test_impute_une_alerte_s_ouvre_et_les_dettes_ne_bougent_pas(autre):
    paiement = PaiementFactory(impute=True)

    dire(paiement, "CAPTURED", source="MERCH_BO", **autre)

    assert paiement.anomalies.get().genre == Genre.MONTANT_DIFFERENT
    assert list(paiement.imputations.values_list("montant", flat=True)) == [120]


def test_un_montant_effectif_redit_a_l_identique_n_est_pas_un_desaccord():
    paiement = PaiementFactory(accepte=True)

    dire(paiement, "CAPTURED", effectif=Decimal("120.00"), devise_effective="EUR")

    assert not paiement.anomalies.exists()


def test_un_agent_admet_un_montant_baisse_dont_l_effectif_est_reste_haut():
    paiement = PaiementFactory(accepte=True)
    dire(paiement, "AUTHORISED", montant=Decimal("90.00"), effectif=Decimal("120.00"))
    anomalie = paiement.anomalies.get()

    reprise.admettre(anomalie, motif="vu au Back Office", agent=AgentFactory().utilisateur)
    repondre(paiement, FaitFactory(paiement=paiement, montant=Decimal("90.00"), source="REST"))

    paiement.refresh_from_db()
    anomalie.refresh_from_db()
    assert (paiement.statut, anomalie.etat) == (Statut.VERIFIE, Anomalie.Etat.CLOSE)
