"""Le montant effectif, sa devise, une hausse : tout ce que la banque dit d'un montant se regarde (PROTOCOLE §5)."""

from decimal import Decimal
from itertools import permutations

import pytest

from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie
from paiements.retours import reprise
from paiements.statuts import Statut
from paiements.surveillance import invariants
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre

DESACCORDS = [
    {"effectif": Decimal("3.00")},
    {"effectif": Decimal("160.00")},
    {"devise_effective": "840"},
    {"montant": Decimal("150.00")},
]


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


@pytest.mark.parametrize("quand", ["avant l'accord", "après l'accord"])
def test_un_agent_admet_un_debit_dont_seul_le_montant_effectif_est_baisse(quand):
    """Le Back Office baisse l'un ou l'autre, on ne sait lequel (PROTOCOLE §5) : le plus petit fait foi."""
    paiement = PaiementFactory(accepte=quand == "après l'accord")
    dit = {"effectif": Decimal("90.00"), "devise_effective": "EUR"}
    dire(paiement, "AUTHORISED", **dit)
    anomalie = paiement.anomalies.get()

    reprise.admettre(anomalie, motif="vu au Back Office", agent=AgentFactory().utilisateur)
    repondre(paiement, FaitFactory(paiement=paiement, source="REST", **dit))
    imputer_un_lot()

    paiement.refresh_from_db()
    assert (anomalie.genre, anomalie.situation) == (Genre.MONTANT_DIFFERENT, "90.00")
    assert (paiement.statut, paiement.solde.tenu, paiement.solde.impute) == (Statut.IMPUTE, 90, 90)
    assert not paiement.anomalies.ouvertes().exists()
    assert not list(invariants.verifier())


def test_un_montant_effectif_baisse_dans_une_autre_devise_ne_se_compare_pas_aux_euros():
    paiement = PaiementFactory(accepte=True)

    dire(paiement, "AUTHORISED", effectif=Decimal("90.00"), devise_effective="840")

    assert paiement.solde.tenu == 120
    assert paiement.anomalies.get().genre == Genre.MONTANT_DIFFERENT


def test_une_autre_devise_apprise_apres_la_verification_n_impute_rien():
    paiement = PaiementFactory(verifie=True)
    dire(paiement, "CAPTURED", devise_effective="840")

    imputer_un_lot()

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.anomalies.get().genre) == (Statut.VERIFIE, Genre.MONTANT_DIFFERENT)


def test_un_numero_redit_en_capitales_est_le_sien():
    """Les journaux et REST l'écrivent comme ils veulent (PROTOCOLE §11.4)."""
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", montant=Decimal("90.00"), trans_id=paiement.trans_id.upper())

    assert reprise.is_a_admettre(paiement.anomalies.get())


def test_un_agent_admet_un_montant_baisse_dont_l_effectif_est_reste_haut():
    paiement = PaiementFactory(accepte=True)
    dire(paiement, "AUTHORISED", montant=Decimal("90.00"), effectif=Decimal("120.00"))
    anomalie = paiement.anomalies.get()

    reprise.admettre(anomalie, motif="vu au Back Office", agent=AgentFactory().utilisateur)
    repondre(paiement, FaitFactory(paiement=paiement, montant=Decimal("90.00"), source="REST"))

    paiement.refresh_from_db()
    anomalie.refresh_from_db()
    assert (paiement.statut, anomalie.etat) == (Statut.VERIFIE, Anomalie.Etat.CLOSE)
