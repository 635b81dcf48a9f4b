"""Un invariant que l'on n'a pas pu regarder n'est ni tenu ni violé : la commande le dit, et finit autrement."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from paiements.surveillance.invariants import INVARIANTS
from socle.commandes import Code

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lignes_tenues():
    """Une autre connexion tient une table : qui la lit attend, et renonce."""
    autre = connection.copy()
    with autre.cursor() as curseur, connection.cursor() as notre:
        curseur.execute("BEGIN; LOCK TABLE demarches_lignedemarche IN ACCESS EXCLUSIVE MODE")
        notre.execute("SET lock_timeout = '50ms'")
        yield
        curseur.execute("ROLLBACK")
    autre.close()
    connection.close()


def test_les_autres_invariants_se_regardent_quand_meme(lignes_tenues):
    sortie = StringIO()

    with pytest.raises(CommandError) as fin:
        call_command("verifier_invariants", "--json", stdout=sortie)

    rendu = json.loads(sortie.getvalue())
    assert fin.value.returncode == Code.PAS_PU
    assert list(rendu["pas_vus"]) == ["total_des_lignes"]
    assert rendu["invariants"] == len(INVARIANTS) - 1
