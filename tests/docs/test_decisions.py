"""L'index des décisions dit chacune d'elles, sous son étage et sous son titre."""

import re
from pathlib import Path

import pytest

from outils.systeme import RACINE

DECISIONS = sorted((RACINE / "docs/adr").glob("[0-9]*.md"))
INDEX = (RACINE / "docs/adr/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda decision: decision.stem)
def test_une_decision_est_a_l_index_sous_son_etage(decision: Path) -> None:
    numero, titre = decision.name[:4], decision.read_text(encoding="utf-8").partition("\n")[0]
    dizaine = re.search(rf"^## {numero[:3]}x, .*?(?=^## |\Z)", INDEX, re.MULTILINE | re.DOTALL)

    assert titre.startswith(f"# {numero}. ")
    assert dizaine is not None, f"aucun étage {numero[:3]}x à l'index"
    ligne = f"| [{numero}]({decision.name}) | {titre.removeprefix(f'# {numero}. ')} | "
    suite = r"\d{4}-\d{2}-\d{2} \| (en vigueur|remplacée par|abandonnée)"
    assert re.search(re.escape(ligne) + suite, dizaine[0]), f"il manque à l'index : {ligne}date | statut |"


def test_un_numero_ne_sert_qu_une_fois() -> None:
    numeros = [decision.name[:4] for decision in DECISIONS]

    assert len(numeros) == len(set(numeros))
