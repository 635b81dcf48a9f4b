from dataclasses import replace
from decimal import Decimal

import pytest

from paiements.payzen import Fait, Mode
from paiements.payzen.fait import FORMATS
from paiements.payzen.statuts import FAMILLES

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


def test_seuls_deux_statuts_sont_de_l_argent():
    assert [s for s in FAMILLES if replace(FAIT, statut=s).is_success] == ["AUTHORISED", "CAPTURED"]


@pytest.mark.parametrize("statut", ["CANCELED", "NOUVEAU", ""])
def test_un_statut_inconnu_n_est_ni_un_succes_ni_un_echec(statut):
    assert replace(FAIT, statut=statut).famille == "inconnu"


@pytest.mark.parametrize("operation", ["CREDIT", "VERIFICATION", "INCONNUE", ""])
@pytest.mark.parametrize("statut", FAMILLES)
def test_seul_un_debit_est_un_succes(statut, operation):
    fait = replace(FAIT, statut=statut, operation=operation)

    assert not fait.is_success
    assert fait.is_credit is (operation == "CREDIT")
    assert fait.is_parti is (statut in ("AUTHORISED", "CAPTURED"))


@pytest.mark.parametrize("nom", FORMATS)
def test_aucun_champ_lu_ne_peut_contenir_le_separateur_de_la_signature(nom):
    """La parade au §2.4 : un texte glissé d'un champ à son voisin ne passe pas les formats."""
    essais = ["+", "A+B", "1+2", "20261123+01500", "TEST+978"]

    assert not [essai for essai in essais if FORMATS[nom].fullmatch(essai)]
