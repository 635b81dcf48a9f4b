"""Deux mots dits d'une même transaction n'en font qu'un, dans quelque ordre et combien de fois qu'on les entende."""

from itertools import permutations, product

import pytest
from django.db import connection

from paiements.payzen import CONTRADICTOIRE, unir
from paiements.payzen.statuts import FAMILLES

MOTS = (*FAMILLES, "MOT_INCONNU", "AUTRE_INCONNU", CONTRADICTOIRE)


@pytest.mark.parametrize("mot", MOTS)
def test_redire_un_mot_n_apprend_rien(mot):
    assert unir(mot, mot) == mot


def test_l_ordre_de_deux_mots_ne_compte_pas():
    differents = [(un, autre) for un, autre in product(MOTS, repeat=2) if unir(un, autre) != unir(autre, un)]

    assert differents == []


def test_la_facon_de_les_grouper_non_plus():
    differents = [(a, b, c) for a, b, c in product(MOTS, repeat=3) if unir(unir(a, b), c) != unir(a, unir(b, c))]

    assert differents == []


@pytest.mark.parametrize(
    ("mots", "attendu"),
    [
        (("WAITING_AUTHORISATION", "AUTHORISED"), "AUTHORISED"),
        (("AUTHORISED", "CAPTURED"), "CAPTURED"),
        (("AUTHORISED", "CANCELLED"), "CANCELLED"),
        (("AUTHORISED", "REFUSED"), "REFUSED"),
        (("WAITING_AUTHORISATION", "AUTHORISED", "CAPTURE_FAILED"), "CAPTURE_FAILED"),
        (("CAPTURED", "CANCELLED"), CONTRADICTOIRE),
        (("CAPTURED", "MOT_INCONNU"), CONTRADICTOIRE),
        ((CONTRADICTOIRE, "CAPTURED", "AUTHORISED"), CONTRADICTOIRE),
    ],
)
def test_le_mot_le_plus_avance_l_emporte(mots, attendu):
    for premier, *suite in permutations(mots):
        dit = premier
        for mot in suite:
            dit = unir(dit, mot)

        assert dit == attendu


@pytest.mark.django_db
def test_la_base_unit_tous_les_couples_comme_le_code():
    with connection.cursor() as curseur:
        curseur.execute(
            """SELECT un, autre, paiements_unir(un, autre)
               FROM unnest(%s::text[]) un CROSS JOIN unnest(%s::text[]) autre""",
            [list(MOTS), list(MOTS)],
        )
        de_la_base = {(un, autre): uni for un, autre, uni in curseur.fetchall()}

    assert de_la_base == {(un, autre): unir(un, autre) for un, autre in product(MOTS, repeat=2)}
