"""Le planificateur réveille ce qui est dû, même quand l'heure vient de reculer."""

from datetime import timedelta

import pytest
from celery.beat import Service
from django.utils import timezone

from caf_remboursement.celery import app


@pytest.fixture
def planificateur(tmp_path, settings):
    """Le vrai, sur un calendrier à lui ; il note ce qu'il réveille au lieu de l'envoyer."""
    reveilles = []
    calendrier = str(tmp_path / "calendrier")
    sien = Service(app, schedule_filename=calendrier, scheduler_cls=settings.CELERY_BEAT_SCHEDULER).scheduler
    sien.apply_entry = lambda ligne, producer=None: reveilles.append(ligne.task)
    yield sien, reveilles
    sien.close()


def avancer(sien, time_machine, instant):
    """Un passage à cet instant ; rend les secondes qu'il dormirait."""
    time_machine.move_to(instant, tick=False)
    while (dormir := sien.tick()) == 0:
        pass
    return dormir


@pytest.mark.parametrize(
    "saut", [timedelta(minutes=-10), timedelta(minutes=10)], ids=["recule", "avance puis revient"]
)
def test_une_heure_qui_saute_n_arrete_pas_le_balayage(planificateur, time_machine, saut):
    sien, reveilles = planificateur
    depart = timezone.now()
    for seconde in range(3):
        avancer(sien, time_machine, depart + timedelta(seconds=seconde))
    for seconde in range(3, 6):
        assert avancer(sien, time_machine, depart + saut + timedelta(seconds=seconde)) <= 1
    reveilles.clear()

    dormis = [avancer(sien, time_machine, depart + timedelta(seconds=seconde)) for seconde in range(6, 9)]

    assert max(dormis) <= 1
    assert reveilles.count("paiements.tasks.balayer") >= 2
