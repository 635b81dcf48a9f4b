"""La liste des gardes dit vrai : chacune est dans le code ou dans la base, et son test existe."""

from collections import Counter

import pytest
from django.apps import apps

from tests.pannes.gardes import DU_CODE, GARDES, Garde
from tests.pannes.mutations import RACINE, reperer, retirer, trouver


def test_le_code_et_la_liste_nomment_les_memes_gardes() -> None:
    assert Counter(nom for nom, _ in reperer(RACINE)) == Counter(garde.nom for garde in DU_CODE)


@pytest.mark.parametrize("garde", DU_CODE, ids=lambda garde: garde.nom)
def test_chaque_garde_du_code_se_retire(garde: Garde) -> None:
    place = trouver(garde, RACINE)
    retirer(garde, place.fichier.read_text().splitlines()[place.rang])


def test_chaque_garde_de_la_base_porte_le_nom_de_ce_qui_la_tient() -> None:
    metas = [modele._meta for modele in apps.get_models()]
    declencheurs = {declencheur.name for meta in metas for declencheur in getattr(meta, "triggers", [])}
    contraintes = {contrainte.name for meta in metas for contrainte in meta.constraints}
    assert {garde.nom for garde in GARDES if garde.retrait is None} <= declencheurs | contraintes


@pytest.mark.parametrize("garde", GARDES, ids=lambda garde: garde.nom)
def test_le_test_de_chaque_garde_existe(garde: Garde) -> None:
    fichier, _, nom = garde.test.partition("::")
    assert f"def {nom.split('[')[0]}" in (RACINE / fichier).read_text()
