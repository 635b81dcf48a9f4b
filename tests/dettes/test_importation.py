"""Prendre une livraison de la Caf (FICHIERS §1 à §3)."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from comptes.models import Allocataire, Utilisateur
from dettes.models import Dette
from tests.factories import CafFactory

EXEMPLES = Path(__file__).parents[2] / "donnees" / "exemple"


@pytest.mark.parametrize(("caf", "allocataires", "dettes"), [("598", 400, 912), ("661", 400, 806), ("751", 400, 927)])
def test_la_livraison_d_exemple_entre_sans_rejet(db, tmp_path, caf, allocataires, dettes):
    CafFactory(code=caf)
    sortie = StringIO()

    call_command("importer_livraison", EXEMPLES / caf, json=True, rejets=tmp_path, stdout=sortie)

    compte_rendu = json.loads(sortie.getvalue())
    assert compte_rendu["dettes"]["crees"] == Dette.objects.count() == dettes
    assert compte_rendu["allocataires"]["crees"] == Allocataire.objects.count() == Utilisateur.objects.count()
    assert compte_rendu["allocataires"]["crees"] == allocataires
    assert compte_rendu["rejets"] == []
