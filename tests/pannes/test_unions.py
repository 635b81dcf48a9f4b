"""Chaque colonne d'une transaction est une union : dite avant ou après, la même valeur reste (`porter.UNIONS`)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from paiements.models import TransactionPayzen
from paiements.reception.porter import UNIONS
from tests.factories import PaiementFactory, dire

pytestmark = pytest.mark.django_db

A_MIDI = datetime(2026, 11, 20, 12, tzinfo=UTC)
LE_SOIR = A_MIDI + timedelta(hours=8)
BAISSE = ({"montant": Decimal(120)}, {"montant": Decimal(90)})
# Deux dits d'une même transaction, et ce qui en reste.
DITS = {
    "statut": ({"statut": "CAPTURED"}, {"statut": "AUTHORISED"}, "CAPTURED"),
    "montant": (*BAISSE, 90),
    "montant_haut": (*BAISSE, 120),
    "effectif": ({"effectif": Decimal(120)}, {"effectif": None}, 120),
    "devise_effective": ({"devise_effective": "USD"}, {"devise_effective": "EUR"}, "USD"),
    "parent_id": ({"parent": "d" * 32}, {}, "d" * 32),
    "trans_id": ({"trans_id": "abc123"}, {"trans_id": "", "source": "REST"}, "abc123"),
    "trans_date": ({"trans_date": A_MIDI}, {}, A_MIDI),
    "creee_le": ({"creee_le": A_MIDI}, {"creee_le": LE_SOIR}, A_MIDI),
    "remise_le": ({"remise_le": A_MIDI}, {"remise_le": LE_SOIR}, A_MIDI),
    "marque": ({"marque": "VISA"}, {"marque": ""}, "VISA"),
    "carte_fin": ({"carte_fin": "0055"}, {"carte_fin": ""}, "0055"),
    "autorisation": ({"autorisation": "3fe85c"}, {"autorisation": ""}, "3fe85c"),
}


@pytest.mark.parametrize("colonne", DITS)
def test_dit_avant_ou_apres_le_plus_avance_reste(colonne):
    *dits, attendu = DITS[colonne]
    restes = []
    for uuid, suite in (("a" * 32, dits), ("b" * 32, dits[::-1])):
        paiement = PaiementFactory()
        if colonne == "parent_id":
            dire(paiement, "CAPTURED", uuid="d" * 32) if not restes else None
        for champs in suite:
            operation = "CREDIT" if colonne == "parent_id" else "DEBIT"
            dire(paiement, **{"statut": "AUTHORISED", "uuid": uuid, "operation": operation} | champs)
        restes.append(getattr(TransactionPayzen.objects.get(pk=uuid), colonne))

    assert restes == [attendu, attendu]


def test_chaque_union_a_son_essai():
    # Le paiement d'une transaction ne change pas ; un verdict tombe quand l'état change (test_trancher).
    assert {*DITS, "paiement_id", "verdict"} == {*UNIONS}
