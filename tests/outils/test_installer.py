"""`make test` installe tout ce que les essais emploient : sur une machine nue, aucun ne se saute faute d'une pièce."""

import re

from outils.installer import PROGRAMMES
from outils.systeme import RACINE

PAQUET = re.compile(r'skipif\(.*reason=".*apt-get install ([a-z0-9-]+)"')


def test_une_piece_sans_laquelle_un_essai_se_saute_est_installee():
    attendus = {p for essai in (RACINE / "tests").rglob("test_*.py") for p in PAQUET.findall(essai.read_text())}

    assert attendus, "plus aucun essai ne se saute : ce mur n'a plus rien à tenir"
    assert attendus <= set(PROGRAMMES.values())
