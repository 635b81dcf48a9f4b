"""Un service où tout va bien."""

import shutil
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.utils import timezone

from dettes.models import FichierRecu
from paiements import tasks
from tests.factories import CafFactory


@pytest.fixture
def bon_service(monkeypatch):
    """Les ouvriers battent, la Caf a livré, le disque a de la place, quel que soit celui de la machine."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=100, used=50, free=50))
    for file in settings.FILES:
        tasks.battre(file=file)
    FichierRecu.objects.create(
        caf=CafFactory(),
        sequence=1,
        empreinte="0" * 64,
        arrete_le=timezone.now(),
        mode="complet",
        derniere_sequence_encaissements=0,
        somme_soldes=0,
    )
