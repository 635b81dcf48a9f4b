"""Un second impayé d'un débit : vu même après un remboursement, même jumeau du premier."""

import pytest

from paiements.models import Anomalie, Impaye, LigneJournal
from tests.factories import PaiementFactory
from tests.paiements.journaux import jri
from tests.paiements.livres import crediter

pytestmark = pytest.mark.django_db


def un(paiement, jour, sens="D", montant="5000"):
    return jri([paiement], jour=jour, SOURCE_AMOUNT=montant, UNPAID_DATE=f"20{jour}", OPERATION_TYPE=sens)


def is_a_regarder():
    return Anomalie.objects.ouvertes().filter(genre="LIGNE_EN_SUSPENS").exists()


def test_un_second_impaye_se_regarde_encore_quand_le_reste_est_rendu_au_porteur(lire):
    paiement = PaiementFactory(impute=True)
    lire(un(paiement, "261127"), un(paiement, "261128"))
    crediter(paiement, 70)

    lire()

    assert is_a_regarder()


def test_un_second_impaye_se_voit_meme_lu_apres_que_le_reste_est_rendu(lire):
    paiement = PaiementFactory(impute=True)
    lire(un(paiement, "261127"))
    crediter(paiement, 70)

    lire(un(paiement, "261128"))

    assert is_a_regarder()


@pytest.mark.parametrize("date", ["20261127", ""], ids=["daté", "sans date"])
def test_deux_lignes_jumelles_d_un_meme_journal_sont_deux_impayes(lire, date):
    paiement = PaiementFactory(impute=True)

    compte_rendu = lire(jri([paiement, paiement], SOURCE_AMOUNT="5000", UNPAID_DATE=date))

    assert (compte_rendu["lignes"], compte_rendu["a_decider"], Impaye.objects.count()) == (2, 1, 1)


@pytest.mark.parametrize("combien", [1, 2])
def test_des_jumelles_redites_le_lendemain_n_en_font_pas_une_de_plus(lire, combien):
    paiement = PaiementFactory(impute=True)
    lire(jri([paiement, paiement], SOURCE_AMOUNT="5000"))

    compte_rendu = lire(jri([paiement] * combien, jour="261128", SOURCE_AMOUNT="5000"))

    assert (compte_rendu["lignes"], LigneJournal.objects.count()) == (0, 2)


def test_les_jumelles_d_un_debit_entier_ne_demandent_rien_a_personne(lire):
    paiement = PaiementFactory(impute=True)

    assert lire(jri([paiement, paiement]))["en_suspens"] == 0
