"""
Des histoires tirées au sort, contre la vraie base : après chaque pas, tout ce qui doit être vrai l'est encore.

`HISTOIRES` et `PAS` règlent la taille, `GRAINE` tire ailleurs (tests/pannes/graine.py) ; `REDUIRE=0` montre une
histoire qui échoue sans attendre qu'elle soit réduite.
"""

import logging
import os

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from paiements.payzen import rest
from tests.pannes.graine import GRAINE
from tests.pannes.guichet import Guichet

pytestmark = pytest.mark.django_db

HISTOIRES = int(os.environ.get("HISTOIRES", "12"))
PAS = int(os.environ.get("PAS", "30"))
REDUIRE = os.environ.get("REDUIRE", "1") == "1"


@pytest.fixture(autouse=True)
def sans_attendre(monkeypatch):
    """Ni demi-seconde vraie entre deux lectures REST, ni journal de chaque anomalie : il y en a des milliers."""
    monkeypatch.setattr(rest, "ATTENTE_S", 0)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("graine", [GRAINE])
def test_aucune_histoire_ne_perd_ni_ne_double_un_euro(graine):
    phases = [hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if REDUIRE else [])]
    reglages = hypothesis.settings(
        phases=phases,
        max_examples=HISTOIRES,
        stateful_step_count=PAS,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    run_state_machine_as_test(hypothesis.seed(graine)(Guichet), settings=reglages)
