"""L'argent et les périodes, tels qu'on les lit."""

from datetime import date
from decimal import Decimal

import pytest

from socle.templatetags.euros import associer, euros, euros_court, jour, periode


@pytest.mark.parametrize(
    ("montant", "attendu"),
    [
        (Decimal("0.01"), "0,01\u00a0€"),
        (Decimal("84.1"), "84,10\u00a0€"),
        (Decimal("1234.56"), "1\u00a0234,56\u00a0€"),
        (Decimal("35906.87"), "35\u00a0906,87\u00a0€"),
        (Decimal("9999999.99"), "9\u00a0999\u00a0999,99\u00a0€"),
        (Decimal("-56"), "\u221256,00\u00a0€"),
        (0, "0,00\u00a0€"),
    ],
)
def test_un_montant_s_ecrit_a_la_francaise_sans_jamais_se_couper(montant: Decimal, attendu: str) -> None:
    assert euros(montant) == attendu


def test_les_centimes_nuls_peuvent_se_taire() -> None:
    assert euros_court(Decimal("1340.00")) == "1\u00a0340\u00a0€"
    assert euros_court(Decimal("340.10")) == "340,10\u00a0€"


@pytest.mark.parametrize(
    ("debut", "fin", "attendu"),
    [
        (date(2025, 4, 1), date(2025, 6, 30), "avril à juin 2025"),
        (date(2024, 12, 1), date(2025, 3, 31), "décembre 2024 à mars 2025"),
        (date(2025, 5, 1), date(2025, 5, 31), "mai 2025"),
        (date(2025, 5, 1), None, "mai 2025"),
        (None, None, ""),
    ],
)
def test_une_periode_se_dit_en_mois(debut: date | None, fin: date | None, attendu: str) -> None:
    assert periode(debut, fin) == attendu


def test_une_ligne_trop_courte_ne_decale_pas_le_tableau() -> None:
    with pytest.raises(ValueError, match="shorter"):
        associer(["Date", "Montant"], ["3 mars 2026"])


@pytest.mark.parametrize(
    ("quand", "forme", "ecrit"),
    [
        (date(2026, 3, 1), "j F Y", "1er mars 2026"),
        (date(2026, 3, 11), "j F Y", "11 mars 2026"),
        (date(2026, 1, 21), "j F", "21 janvier"),
        (date(2026, 8, 1), "j F", "1er août"),
    ],
)
def test_un_jour_s_ecrit_comme_on_le_dit(quand: date, forme: str, ecrit: str) -> None:
    assert jour(quand, forme) == ecrit
