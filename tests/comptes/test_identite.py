"""L'empreinte d'une identité : la même pour la Caf et pour nous, quelle que soit la façon d'écrire un nom."""

import re
from pathlib import Path

import pytest

from comptes import identite

CLE = "une clé partagée de trente-deux signes"
ANNE = {
    "family_name": "Durand",
    "given_name": "Anne-Lise",
    "birthdate": "1954-03-12",
    "birthplace": "66136",
    "birthcountry": "99100",
}


def test_l_exemple_du_contrat_est_juste() -> None:
    contrat = (Path(__file__).parents[2] / "docs" / "reference" / "fichiers.md").read_text()

    assert re.search(r"donne `([0-9a-f]{64})`", contrat)[1] == identite.calculer(ANNE, CLE)


@pytest.mark.parametrize(
    "ecart", [{"family_name": "DURAND"}, {"given_name": " anne  lise "}, {"given_name": "Anné-Lïse"}]
)
def test_la_casse_les_accents_et_les_traits_ne_comptent_pas(ecart: dict[str, str]) -> None:
    assert identite.calculer(ANNE | ecart, CLE) == identite.calculer(ANNE, CLE)


def test_une_ligature_se_defait() -> None:
    assert identite.calculer(ANNE | {"family_name": "Lœuf"}, CLE) == identite.calculer(
        ANNE | {"family_name": "LOEUF"}, CLE
    )


@pytest.mark.parametrize("champ", ANNE)
def test_chaque_champ_compte(champ: str) -> None:
    assert identite.calculer(ANNE | {champ: "75056"}, CLE) != identite.calculer(ANNE, CLE)


def test_sans_la_cle_l_empreinte_ne_se_refait_pas() -> None:
    assert identite.calculer(ANNE, CLE) != identite.calculer(ANNE, CLE + "2")


@pytest.mark.parametrize("champ", ["family_name", "given_name", "birthdate", "birthcountry"])
def test_une_identite_a_trous_ne_designe_personne(champ: str) -> None:
    assert identite.calculer(ANNE | {champ: None}, CLE) == ""


def test_ne_a_l_etranger_on_n_a_pas_de_commune() -> None:
    assert len(identite.calculer(ANNE | {"birthplace": "", "birthcountry": "99352"}, CLE)) == 64
