"""Les jours ouvrés sautent les fins de semaine et les fêtes, même celles qui bougent."""

from datetime import date

import pytest

from socle.jours import ajouter_des_jours_ouvres, get_paques


@pytest.mark.parametrize(
    ("depuis", "combien", "attendu"),
    [
        (date(2026, 11, 30), 2, date(2026, 12, 2)),  # lundi, mardi, mercredi
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # vendredi, lundi
        (date(2026, 11, 28), 2, date(2026, 12, 2)),  # payé un samedi : compté du lundi
        (date(2026, 12, 24), 1, date(2026, 12, 28)),  # Noël un vendredi
        (date(2027, 3, 26), 1, date(2027, 3, 30)),  # lundi de Pâques
        (date(2027, 5, 5), 1, date(2027, 5, 7)),  # Ascension
        (date(2026, 11, 10), 0, date(2026, 11, 10)),
        (date(2026, 11, 11), 0, date(2026, 11, 12)),
    ],
)
def test_un_delai_se_compte_en_jours_ouvres(depuis, combien, attendu):
    assert ajouter_des_jours_ouvres(depuis, combien) == attendu


@pytest.mark.parametrize(
    ("annee", "paques"), [(2024, (3, 31)), (2025, (4, 20)), (2026, (4, 5)), (2027, (3, 28)), (2038, (4, 25))]
)
def test_paques_tombe_le_bon_dimanche(annee, paques):
    assert get_paques(annee) == date(annee, *paques)
