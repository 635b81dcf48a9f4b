"""L'équipe de processus : arrêtée en entier, quoi qu'il arrive."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outils.processus import Equipe
from outils.systeme import wait_until

DORMIR = [sys.executable, "-c", "import time; time.sleep(60)"]
# Un processus qui a lui-même un enfant, et qui fait la sourde oreille à SIGTERM.
SOURD = [
    sys.executable,
    "-c",
    "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)",
]
# Une équipe lancée par un programme que l'on tuera brutalement.
PARENT = """
import os, sys, time
from pathlib import Path
from outils.processus import Equipe
equipe = Equipe(Path(sys.argv[1]), os.environ, Path.cwd())
equipe.start("dormeur", [sys.executable, "-c", "import time; time.sleep(60)"])
print(equipe.processus["dormeur"].pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    """Vrai pour un processus qui tourne ; un mort que personne n'a encore relevé ne compte pas."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def equipe(tmp_path: Path) -> Iterator[Equipe]:
    equipe = Equipe(tmp_path / "journaux", os.environ, tmp_path)
    yield equipe
    equipe.stop()


def test_arreter_ne_laisse_aucun_processus(equipe: Equipe) -> None:
    equipe.start("un", DORMIR)
    equipe.start("deux", DORMIR)
    pids = [lance.pid for lance in equipe.processus.values()]

    equipe.stop()

    assert not any(is_alive(pid) for pid in pids)


def test_un_processus_sourd_et_ses_enfants_sont_tues(equipe: Equipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outils.processus.DELAI_ARRET", 0.2)
    equipe.start("sourd", SOURD)
    assert wait_until(lambda: equipe.get_log("sourd").read_text().endswith("\n"), 10)
    pids = [equipe.processus["sourd"].pid, int(equipe.get_log("sourd").read_text())]

    equipe.stop()

    assert wait_until(lambda: not any(is_alive(pid) for pid in pids), 5)


def test_un_mort_est_reconnu_et_son_journal_garde(equipe: Equipe) -> None:
    equipe.start("vivant", DORMIR)
    equipe.start("mort", [sys.executable, "-c", "print('adieu'); raise SystemExit(3)"])

    assert wait_until(lambda: equipe.find_dead() is not None, 10)

    assert equipe.find_dead() == "mort"
    assert equipe.get_log("mort").read_text() == "adieu\n"


def test_tuer_brutalement_le_programme_emporte_son_equipe(tmp_path: Path) -> None:
    racine = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path / "journaux"], cwd=racine, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        enfant = int(parent.stdout.readline())
        assert is_alive(enfant)

        parent.send_signal(signal.SIGKILL)

    assert wait_until(lambda: not is_alive(enfant), 5)
