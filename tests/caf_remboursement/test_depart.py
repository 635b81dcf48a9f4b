"""Ce qu'un processus du web charge à son départ, avant que gunicorn n'en tire ses ouvriers."""

import json
import subprocess
import sys

import pytest

from outils.systeme import RACINE

CHARGER = """
import json, sys
import caf_remboursement.wsgi
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def depart() -> set[str]:
    """Les modules d'un interpréteur neuf qui n'a chargé que le service."""
    commande = [sys.executable, "-W", "ignore", "-c", CHARGER]
    dit = subprocess.run(commande, cwd=RACINE, check=True, capture_output=True, text=True).stdout
    return set(json.loads(dit))


def test_le_web_ne_charge_pas_ce_que_seules_les_taches_emploient(depart: set[str]) -> None:
    """Une page ne réveille aucune tâche (docs/adr/0002), et WeasyPrint attend un premier rendu."""
    assert not depart & {"celery", "kombu", "paiements.tasks", "weasyprint"}


def test_la_premiere_page_n_attend_aucune_vue(depart: set[str]) -> None:
    assert {"caf_remboursement.urls", "comptes.views", "paiements.views"} <= depart
