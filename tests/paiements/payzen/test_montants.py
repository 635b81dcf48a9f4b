from decimal import Decimal

import pytest

from paiements.payzen import from_centimes, to_centimes


@pytest.mark.parametrize(
    ("euros", "centimes"),
    [("0.01", 1), ("19.99", 1999), ("45.25", 4525), ("45.2", 4520), ("45", 4500), ("1E+3", 100_000), ("0", 0)],
)
def test_les_euros_deviennent_des_centimes_et_reviennent(euros, centimes):
    assert to_centimes(Decimal(euros)) == centimes
    assert from_centimes(centimes) == Decimal(euros)


def test_un_montant_revient_toujours_avec_deux_decimales():
    assert str(from_centimes(4500)) == "45.00"


@pytest.mark.parametrize("euros", ["0.001", "12.505", "NaN", "Infinity", "1E+40", "1." + "0" * 40 + "1"])
def test_ce_qui_ne_tombe_pas_juste_est_refuse(euros):
    with pytest.raises(ValueError, match=r"au centime|montant en euros"):
        to_centimes(Decimal(euros))


@pytest.mark.parametrize("centimes", [12.0, "1250", True, None])
def test_des_centimes_sont_un_entier(centimes):
    with pytest.raises(ValueError, match="nombre entier de centimes"):
        from_centimes(centimes)
