"""La liste des gardes dit vrai : chacune est dans le code, son test existe, le tableau les montre toutes."""

import re

import pytest

from tests.pannes.gardes import GARDES, Garde
from tests.pannes.mutations import RACINE, TABLEAU, trouver


@pytest.mark.parametrize("garde", GARDES, ids=lambda garde: garde.nom)
def test_chaque_garde_est_a_sa_place_et_son_test_existe(garde: Garde) -> None:
    trouver(garde, RACINE)
    fichier, _, nom = garde.test.partition("::")
    assert not nom or f"def {nom.split('[')[0]}(" in (RACINE / fichier).read_text()
    assert bool(garde.sql) != bool(garde.avant)


def test_le_tableau_montre_chaque_garde_et_le_test_qui_tombe() -> None:
    lignes = re.findall(r"^\| (.+) \| `\S+` \| `(.+)` \| \d\d/\d\d/\d{4} \|$", TABLEAU.read_text(), re.MULTILINE)
    assert [nom for nom, _ in lignes] == [garde.nom for garde in GARDES]
    assert "AUCUN" not in {test for _, test in lignes}
