"""Ce qu'un processus du web charge à son départ, avant que gunicorn n'en tire ses ouvriers."""

import json
import subprocess
import sys

import pytest

from outils.systeme import RACINE

CHARGER = """
import gc, json, sys
import caf_remboursement.wsgi
print(json.dumps([sorted(sys.modules), gc.isenabled(), gc.get_freeze_count()]))
"""


@pytest.fixture(scope="module")
def depart() -> tuple[set[str], bool, int]:
    """Les modules d'un interpréteur neuf, si son ramasse-miettes veille, et combien d'objets y sont figés."""
    commande = [sys.executable, "-W", "ignore", "-c", CHARGER]
    dit = subprocess.run(commande, cwd=RACINE, check=True, capture_output=True, text=True).stdout
    modules, veille, figes = json.loads(dit)
    return set(modules), veille, figes


def test_le_web_ne_charge_pas_ce_que_seules_les_taches_emploient(depart: tuple[set[str], bool, int]) -> None:
    """Une page ne réveille aucune tâche (docs/adr/0002), et WeasyPrint attend un premier rendu."""
    assert not depart[0] & {"celery", "kombu", "paiements.tasks", "weasyprint"}


def test_la_premiere_page_n_attend_aucune_vue(depart: tuple[set[str], bool, int]) -> None:
    assert {"caf_remboursement.urls", "comptes.views", "paiements.views"} <= depart[0]


def test_ce_qui_est_charge_n_est_plus_relu_et_le_reste_se_ramasse(depart: tuple[set[str], bool, int]) -> None:
    _, veille, figes = depart
    assert veille
    assert figes > 100_000
