"""Le total en direct compte exactement ce que le serveur accepte, ni plus, ni moins."""

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from playwright.sync_api import Browser

from demarches.champs import MontantField
from demarches.montants import MontantInvalide, retenir
from socle.euros import ecrire_euros, ecrire_saisie

pytestmark = pytest.mark.navigateur
SCRIPT = Path(__file__).resolve().parents[2] / "static/js/total.js"
RESTE = Decimal("900.00")
# La seconde tient le total au-dessus du minimum : seule la première est à l'épreuve.
DETTES = [SimpleNamespace(pk=1, disponible=RESTE), SimpleNamespace(pk=2, disponible=Decimal(1))]
SAISIES = [
    *("12", "12,", "12,5", "12,50", "12.5", "0,01", "007,00", "  84,12  ", "84,12 €", "84 euros", "1 Euro", "1€"),
    *(
        "12,50 euros",
        "12,50\u00a0€",
        "５,00",
        "１２,５",
        "12 50",
        "5 0",
        "1 23",
        "1 234,56",
        "1234,56",
        "\u200b12",
        "12\ufeff",
    ),
    *(
        "",
        "   ",
        "€",
        "-12",
        "−5",
        "+5",
        "12,345",
        "1.234",
        "1.234,56",
        "douze",
        "1e3",
        "NaN",
        "Infinity",
        "0x10",
        ",5",
    ),
    *("900", "900,00", "900,01", "99999999999", "4970 1100 0000 0021", "00000000000018", "00000000000019", "½", "1_0"),
    *("12\u202f€", "1\u2009000", "12 €€", "12 euro s", "euros", "12,5O", "٣", "Ⅻ", "①", "12．5"),
]


def compter(saisie: str) -> Decimal:
    """Ce que le serveur prendrait de cette saisie, en euros ; zéro s'il la refuse."""
    try:
        montant = MontantField(required=False).clean(saisie) or Decimal(0)
        retenir({1: Decimal(str(montant)), 2: Decimal(1)}, DETTES)
    except (ValidationError, MontantInvalide):
        return Decimal(0)
    return Decimal(str(montant))


def test_le_total_compte_ce_que_le_serveur_accepte(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content(
        "<form data-montants><p data-dit></p><output data-total></output>"
        f"<input data-montant='{ecrire_saisie(RESTE)}' data-nom='Prime'></form>"
    )
    page.add_script_tag(path=SCRIPT)
    champ, total = page.locator("input"), page.locator("output")

    lus = {}
    for saisie in SAISIES:
        champ.fill(saisie)
        lus[saisie] = total.inner_text()

    page.close()
    assert lus == {saisie: ecrire_euros(compter(saisie)) for saisie in SAISIES}
