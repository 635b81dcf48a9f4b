"""Ce que le journal des impayés dit repris : le débit entier, une part, le seul reste, ou ce qui ne lui tient pas."""

from decimal import Decimal

import pytest

from paiements.models import Anomalie, Impaye, LigneJournal
from paiements.retours import impaye
from paiements.statuts import Statut
from tests.factories import PaiementFactory
from tests.paiements.journaux import jri
from tests.paiements.livres import crediter

pytestmark = pytest.mark.django_db


def test_l_impaye_du_seul_reste_remonte_les_dettes_sans_main(lire):
    paiement = PaiementFactory(impute=True)
    crediter(paiement, 30)

    assert lire(jri([paiement], SOURCE_AMOUNT="9000"))["en_suspens"] == 0

    paiement.refresh_from_db()
    assert (Impaye.objects.get().montant, paiement.solde.tenu, paiement.statut) == (90, 0, Statut.REJETE)
    assert paiement.demarche.lignes.get().dette.solde == 900


def test_l_impaye_d_une_part_se_porte_et_un_agent_dit_de_quelles_dettes(lire):
    paiement = PaiementFactory(impute=True)

    assert lire(jri([paiement], SOURCE_AMOUNT="500"))["en_suspens"] == 0

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.a_placer) == (Statut.IMPUTE, -5)


def test_un_impaye_qui_ne_tient_pas_au_debit_est_pour_un_agent(lire):
    paiement = PaiementFactory(impute=True)
    crediter(paiement, 30)

    assert lire(jri([paiement], SOURCE_AMOUNT="10000"))["en_suspens"] == 1

    assert not Impaye.objects.exists()
    assert Anomalie.objects.get(genre="REPONSE_INATTENDUE").detail == "impayé de 100.00 € sur un débit de 120.00 €"


@pytest.mark.parametrize("sens", ["D", "C"])
def test_un_impaye_redit_ou_rendu_d_un_autre_montant_est_pour_un_agent(lire, comptable, sens):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, montant=Decimal(120), motif="lu au Back Office", agent=comptable)

    assert lire(jri([paiement], SOURCE_AMOUNT="500", OPERATION_TYPE=sens))["en_suspens"] == 1

    assert LigneJournal.objects.get().pourquoi == "cet impayé est déjà enregistré, de 120,00\xa0€ : un agent décide"
    assert Impaye.objects.count() == 1


def test_un_impaye_annule_laisse_la_place_a_celui_du_journal(lire, comptable):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, montant=Decimal(120), motif="lu au Back Office", agent=comptable)
    lire(jri([paiement], SOURCE_AMOUNT="500"))

    impaye.annuler(paiement.anomalies.get(genre="IMPAYE"), motif="mauvais montant", agent=comptable)

    assert lire()["en_suspens"] == 0
    assert list(Impaye.objects.order_by("pk").values_list("sens", "montant")) == [(1, 120), (-1, 120), (1, 5)]
