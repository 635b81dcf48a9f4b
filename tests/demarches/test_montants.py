"""Ce que l'on peut payer : jamais plus que le disponible, jamais moins que le minimum, sauf pour solder."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from demarches.montants import MontantInvalide, partager, ramener, retenir


def preparer(*disponibles):
    return [SimpleNamespace(pk=rang, disponible=Decimal(d)) for rang, d in enumerate(disponibles, start=1)]


def lire(parts):
    return {dette.pk: montant for dette, montant in parts}


def test_un_montant_global_eteint_la_premiere_dette_d_abord():
    parts = partager(Decimal("120.50"), preparer("100", "0", "300"))

    assert lire(parts) == {1: Decimal("100"), 3: Decimal("20.50")}


def test_les_montants_choisis_font_loi():
    parts = retenir({2: Decimal("12.50"), 1: Decimal(0)}, preparer("100", "300"))

    assert lire(parts) == {2: Decimal("12.50")}


@pytest.mark.parametrize(
    ("montant", "disponibles", "phrase"),
    [
        ("400.01", ["100", "300"], "Le montant dépasse ce qu’il reste à payer\u00a0: 400,00\u00a0€"),
        ("0.99", ["100"], "Le montant doit être d’au moins 1,00\u00a0€, sauf pour solder une dette"),
        ("0", ["100"], "Le montant doit être d’au moins 1,00\u00a0€, sauf pour solder une dette"),
        ("10000000", ["9000000", "9000000"], "Au-delà de 9\u00a0999\u00a0999,99\u00a0€, payez en plusieurs fois"),
        ("0.40", ["0.50"], "Il reste 0,50\u00a0€ à payer\u00a0: indiquez ce montant exact"),
    ],
)
def test_un_montant_global_impossible_dit_pourquoi(montant, disponibles, phrase):
    with pytest.raises(MontantInvalide) as refus:
        partager(Decimal(montant), preparer(*disponibles))

    assert refus.value.erreurs == {None: phrase}


@pytest.mark.parametrize("disponibles", [["0.01"], ["0.50", "0.49"], ["0.01", "900"]])
def test_solder_une_petite_dette_reste_possible(disponibles):
    dettes = preparer(*disponibles)
    petites = {dette.pk: dette.disponible for dette in dettes if dette.disponible < 1}

    assert lire(retenir(petites, dettes)) == petites
    assert lire(partager(sum(petites.values()), dettes)) == petites


def test_chaque_montant_trop_grand_a_sa_phrase_en_face_de_sa_dette():
    with pytest.raises(MontantInvalide) as refus:
        retenir({1: Decimal("100.01"), 2: Decimal("50"), 3: Decimal("85")}, preparer("100", "300", "84.12"))

    assert list(refus.value.erreurs) == [1, 3]
    assert "pour cette dette\u00a0: 84,12\u00a0€" in refus.value.erreurs[3]


@pytest.mark.parametrize(
    ("montants", "debut"),
    [
        ({}, "Indiquez un montant pour au moins une dette"),
        ({1: Decimal("0.50")}, "Le total doit être d’au moins 1,00\u00a0€"),
        ({9: Decimal("10")}, "Une dette que vous aviez choisie ne se paie plus ici"),
        ({2: Decimal("10")}, "Une dette que vous aviez choisie ne se paie plus ici"),
    ],
    ids=["rien", "trop peu", "dette inconnue", "dette engagée"],
)
def test_un_total_impossible_dit_pourquoi(montants, debut):
    with pytest.raises(MontantInvalide) as refus:
        retenir(montants, preparer("100", "0"))

    assert refus.value.erreurs[None].startswith(debut)


def test_ramener_garde_ce_qui_tient():
    voulus = {1: Decimal("120"), 2: Decimal("50"), 9: Decimal("10")}

    assert lire(ramener(voulus, preparer("100", "300", "-5"))) == {1: Decimal("100"), 2: Decimal("50")}
