"""Le contexte que notre formulaire confie à la plateforme, pour le retrouver si la base est perdue."""

import pytest

from paiements.payzen import read_contexte, write_contexte


def test_le_contexte_ne_dit_rien_de_la_personne_et_se_relit():
    textes = write_contexte(False, [("INK-661-000001", 12000), ("R-2", 1)])

    assert textes == ("A,INK-661-000001=12000,R-2=1",)
    assert read_contexte("".join(textes)) == (False, {"INK-661-000001": 12000, "R-2": 1})


def test_un_contexte_trop_long_ou_qui_ressemble_a_une_carte_ne_part_pas():
    assert len(write_contexte(True, [(f"INK-661-{n:06d}", 12000) for n in range(30)])) == 3
    assert write_contexte(True, [(f"INK-661-{n:021d}", 12000) for n in range(30)]) == ()
    assert write_contexte(True, [("4970100000000055", 1)]) == ()


@pytest.mark.parametrize("texte", ["", "A", "X,R-1=1", "A,R-1", "A,R-1=1,", "commande n° 7"])
def test_un_contexte_qui_n_est_pas_le_notre_ne_se_lit_pas(texte):
    assert read_contexte(texte) is None
