"""La règle de répartition d'un montant global (CSS D553-4)."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dettes.repartition import repartir


@dataclass
class Due:
    disponible: Decimal


EUROS = st.decimals(0, 10_000, places=2)
DUES = st.lists(st.builds(Due, EUROS), max_size=30)


def test_la_plus_ancienne_s_eteint_d_abord():
    premiere, deuxieme = Due(Decimal("84.12")), Due(Decimal(900))

    assert repartir(Decimal(100), [premiere, deuxieme]) == [
        (premiere, Decimal("84.12")),
        (deuxieme, Decimal("15.88")),
    ]


@given(EUROS, DUES)
def test_au_centime_ni_plus_que_le_montant_ni_plus_que_le_disponible(montant, dues):
    parts = repartir(montant, dues)

    total = sum((due.disponible for due in dues), Decimal(0))
    assert sum((part for _, part in parts), Decimal(0)) == min(montant, total)
    assert all(0 < part <= due.disponible for due, part in parts)


@given(EUROS, DUES)
def test_seule_la_derniere_servie_peut_rester_entamee(montant, dues):
    parts = repartir(montant, dues)

    assert all(part == due.disponible for due, part in parts[:-1])


@given(EUROS, st.lists(st.builds(Due, st.decimals(-100, 0, places=2))))
def test_une_dette_sans_disponible_ne_recoit_rien(montant, dues):
    assert repartir(montant, dues) == []
