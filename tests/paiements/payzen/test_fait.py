from dataclasses import replace
from decimal import Decimal

import pytest

from paiements.payzen import Fait, Famille, Mode
from paiements.payzen.fait import FORMATS
from paiements.payzen.statuts import FAMILLES

QUESTIONS = {
    Famille.SUCCES: "is_success",
    Famille.ATTENTE: "is_pending",
    Famille.REFUS: "is_refused",
    Famille.ABANDON: "is_abandoned",
    Famille.ANNULATION: "is_cancelled_after",
    Famille.ECHEC: "is_failed",
}
FAIT = Fait(
    reference="P-1",
    statut="AUTHORISED",
    montant=Decimal("45.25"),
    devise="EUR",
    site="12345678",
    mode=Mode.TEST,
    trans_id="a1b2c3",
    uuid="5f1d0c2b7a8e4d3c9b6a1e2f3d4c5b6a",
)


def get_oui(fait):
    return [question for question in QUESTIONS.values() if getattr(fait, question)]


@pytest.mark.parametrize("statut", [*FAMILLES, "CANCELED", "authorised", "NOUVEAU", ""])
def test_chaque_statut_repond_oui_a_une_question_au_plus(statut):
    fait = replace(FAIT, statut=statut)

    attendue = QUESTIONS.get(fait.famille)

    assert get_oui(fait) == ([attendue] if attendue else [])


def test_seuls_deux_statuts_sont_de_l_argent():
    assert [s for s in FAMILLES if replace(FAIT, statut=s).is_success] == ["AUTHORISED", "CAPTURED"]


@pytest.mark.parametrize("statut", ["CANCELED", "NOUVEAU", ""])
def test_un_statut_inconnu_n_est_ni_un_succes_ni_un_echec(statut):
    assert replace(FAIT, statut=statut).famille == "inconnu"


@pytest.mark.parametrize("operation", ["CREDIT", "VERIFICATION", "INCONNUE", ""])
@pytest.mark.parametrize("statut", FAMILLES)
def test_seul_un_debit_change_le_sort_d_un_paiement(statut, operation):
    fait = replace(FAIT, statut=statut, operation=operation)

    assert get_oui(fait) == []
    assert fait.is_credit is (operation == "CREDIT")


def test_la_cle_dit_la_transaction_son_statut_et_son_operation():
    assert FAIT.cle == "5f1d0c2b7a8e4d3c9b6a1e2f3d4c5b6a:AUTHORISED:DEBIT:45.25"


def test_sans_transaction_la_cle_dit_la_reference_le_numero_et_le_statut():
    assert replace(FAIT, uuid="", statut="ABANDONED").cle == "P-1:a1b2c3:ABANDONED:45.25"


@pytest.mark.parametrize("nom", FORMATS)
def test_aucun_champ_lu_ne_peut_contenir_le_separateur_de_la_signature(nom):
    """La parade au §2.4 : un texte glissé d'un champ à son voisin ne passe pas les formats."""
    essais = ["+", "A+B", "1+2", "20261123+01500", "TEST+978"]

    assert not [essai for essai in essais if FORMATS[nom].fullmatch(essai)]
