"""Ce que le journal des impayés dit repris : le débit entier, une part, le seul reste, ou ce qui ne lui tient pas."""

from decimal import Decimal

import pytest

from paiements.models import Anomalie, Impaye, LigneJournal
from paiements.retours import impaye
from paiements.statuts import Statut
from tests.factories import PaiementFactory
from tests.paiements.journaux import jri, jt
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
    detail = Anomalie.objects.get(genre="LIGNE_EN_SUSPENS").detail
    assert "DEBIT de 100,00\xa0€" in detail
    assert "au plus les 90,00\xa0€ qui en restent" in detail


@pytest.mark.parametrize("sens", ["D", "C"])
def test_un_impaye_redit_ou_rendu_d_un_autre_montant_est_pour_un_agent(lire, comptable, sens):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, montant=Decimal(120), motif="lu au Back Office", agent=comptable)

    assert lire(jri([paiement], SOURCE_AMOUNT="500", OPERATION_TYPE=sens))["en_suspens"] == 1

    assert LigneJournal.objects.get().pourquoi == "cet impayé est déjà enregistré, de 120,00\xa0€ : un agent décide"
    assert Impaye.objects.count() == 1


@pytest.mark.parametrize("jours", [("27", "28"), ("28", "27")], ids=["dans l'ordre", "à l'envers"])
def test_un_second_impaye_d_une_part_n_est_pas_avale(lire, jours):
    paiement = PaiementFactory(impute=True)
    premier, second = (
        lire(jri([paiement], jour=f"2611{jour}", SOURCE_AMOUNT="500", UNPAID_DATE=f"202611{jour}")) for jour in jours
    )

    assert (premier["en_suspens"], second["en_suspens"], second["a_decider"]) == (0, 1, 1)
    assert "en tient encore autant" in Anomalie.objects.get(genre="LIGNE_EN_SUSPENS").detail


def test_la_part_restante_enregistree_a_la_main_n_est_que_redite(lire, comptable):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, montant=Decimal(5), motif="lu au Back Office", agent=comptable)

    assert lire(jri([paiement], SOURCE_AMOUNT="500"))["en_suspens"] == 0


def test_un_second_qu_un_agent_regarde_ne_se_tient_pas_pour_depasse(lire):
    paiement = PaiementFactory(impute=True)
    lire(jri([paiement], SOURCE_AMOUNT="500"))
    lire(jri([paiement], jour="261128", SOURCE_AMOUNT="700", UNPAID_DATE="20261128"))

    fin = {"OPERATION_TYPE": "C", "UNPAID_DATE": "20261129"}
    assert lire(jri([paiement], jour="261129", SOURCE_AMOUNT="500", **fin))["en_suspens"] == 1
    assert lire()["en_suspens"] == 1
    assert Anomalie.objects.ouvertes().filter(genre="LIGNE_EN_SUSPENS").count() == 1


def test_un_impaye_de_rien_se_dit_et_n_arrete_pas_les_autres(lire):
    lire(jt([{"ORDER_ID": "FACTURE-77", "AMOUNT": "0", "TRANSACTION_UUID": "a" * 32}]))
    paiement = PaiementFactory(impute=True)

    compte_rendu = lire(jri([{"TRANSACTION_ID": "ab12cd", "SOURCE_AMOUNT": "0"}, paiement]))

    assert (compte_rendu["portees"]["JRI"], compte_rendu["a_decider"], compte_rendu["malades"]) == (1, 1, [])


def test_un_impaye_annule_laisse_la_place_a_celui_du_journal(lire, comptable):
    paiement = PaiementFactory(impute=True)
    impaye.enregistrer(paiement, montant=Decimal(120), motif="lu au Back Office", agent=comptable)
    lire(jri([paiement], SOURCE_AMOUNT="500"))

    impaye.annuler(paiement.anomalies.get(genre="IMPAYE"), motif="mauvais montant", agent=comptable)

    assert lire()["en_suspens"] == 0
    assert list(Impaye.objects.order_by("pk").values_list("sens", "montant")) == [(1, 120), (-1, 120), (1, 5)]


@pytest.mark.parametrize("operation", ["R", ""])
def test_une_operation_inconnue_du_journal_des_impayes_ne_rend_rien(lire, operation):
    paiement = PaiementFactory(impute=True)
    lire(jri([paiement]))

    compte_rendu = lire(jri([paiement], jour="261128", UNPAID_DATE="20261128", OPERATION_TYPE=operation))

    assert (compte_rendu["a_decider"], Impaye.objects.count()) == (1, 1)
    assert LigneJournal.objects.latest("pk").pourquoi == f"opération « {operation} » inconnue"
