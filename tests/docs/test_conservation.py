"""DOMAINE §9 : chaque table de la base a sa durée, et ce qui doit l'effacer l'efface."""

import re
from pathlib import Path

import pytest
from django.db import connection

from paiements.surveillance.conservation import REGLES

DOMAINE = Path(__file__).parents[2] / "docs" / "reference" / "domaine.md"


def lire_la_table() -> list[list[str]]:
    """Les lignes de la table des durées, cellule par cellule."""
    section = DOMAINE.read_text().split("\n## 9.")[1].split("\n## 10.")[0].split("**Chaque table et sa durée**")[1]
    lignes = [ligne for ligne in section.splitlines() if ligne.startswith("| `")]
    return [[cellule.strip() for cellule in ligne.strip("|").split("|")] for ligne in lignes]


@pytest.mark.django_db
def test_chaque_table_de_la_base_a_sa_regle() -> None:
    dites = {table for ligne in lire_la_table() for table in re.findall(r"`([a-z_]+)`", ligne[0])}

    assert dites == set(connection.introspection.table_names(include_views=True))


def test_aucune_cellule_n_est_vide() -> None:
    assert all(len(ligne) == 4 and all(ligne) for ligne in lire_la_table())


def test_ce_qui_doit_s_effacer_seul_a_sa_purge_et_chaque_purge_sa_ligne() -> None:
    promises = {ligne[3].removeprefix("purger : ") for ligne in lire_la_table() if ligne[3].startswith("purger : ")}

    assert promises == {regle.phrase for regle in REGLES}
