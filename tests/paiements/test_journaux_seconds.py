"""Un second impayé d'un débit : vu même après un remboursement, même jumeau du premier, et jamais inventé."""

from itertools import permutations

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


@pytest.mark.parametrize("ordre", [*permutations(range(3))], ids=str)
def test_pris_rendu_pris_dans_quelque_ordre_qu_on_le_lise_finit_pris_sans_agent(lire, ordre):
    paiement = PaiementFactory(impute=True)
    jours = [un(paiement, "261125"), un(paiement, "261126", "C"), un(paiement, "261127")]

    for rang in ordre:
        lire(jours[rang])
    lire()

    paiement.refresh_from_db()
    assert (paiement.solde.tenu, lire()["en_suspens"], is_a_regarder()) == (70, 0, False)


@pytest.mark.parametrize("ordre", [*permutations(range(3))], ids=str)
def test_un_second_lu_apres_la_fin_du_premier_se_voit_comme_lu_avant(lire, ordre):
    paiement = PaiementFactory(impute=True)
    jours = [un(paiement, "261125"), un(paiement, "261126"), un(paiement, "261127", "C")]

    for rang in ordre:
        lire(jours[rang])
    lire()

    paiement.refresh_from_db()
    assert (paiement.solde.tenu, lire()["a_decider"], is_a_regarder()) == (120, 1, True)


@pytest.mark.parametrize("ordre", [*permutations(range(3))], ids=str)
def test_un_debit_entier_pris_redit_puis_rendu_ne_demande_rien_a_personne(lire, ordre):
    paiement = PaiementFactory(impute=True)
    jours = [un(paiement, f"26112{5 + rang}", sens, montant="12000") for rang, sens in enumerate("DDC")]

    for rang in ordre:
        lire(jours[rang])
    lire()

    paiement.refresh_from_db()
    assert (paiement.solde.tenu, lire()["en_suspens"], is_a_regarder()) == (120, 0, False)


def test_un_montant_impossible_qu_un_agent_regarde_ne_se_tient_pas_pour_depasse(lire):
    paiement = PaiementFactory(impute=True)
    lire(un(paiement, "261125"), un(paiement, "261126", montant="99900"))

    lire(un(paiement, "261127", "C"))

    assert (lire()["a_decider"], is_a_regarder()) == (1, True)
