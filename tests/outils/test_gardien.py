"""Ce qui meurt est relancé et dit ; ce qui ne tient pas arrête tout, avec sa raison."""

import os
import signal
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from outils import postgres, valkey
from outils.gardien import RELANCES, Gardien, Service
from outils.processus import Equipe
from outils.systeme import Empechement, read_pid, wait_until

DORMIR = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def equipe(tmp_path: Path):
    equipe = Equipe(tmp_path / "journaux", dict(os.environ), tmp_path)
    yield equipe
    equipe.stop()


def tuer(equipe: Equipe, nom: str) -> None:
    lance = equipe.processus[nom]
    lance.kill()
    lance.wait()


def test_un_processus_tue_est_relance_et_dit(equipe: Equipe, capsys) -> None:
    equipe.start("site", DORMIR)
    tuer(equipe, "site")

    releves = Gardien(equipe, {}, Empechement).relever()

    assert releves == ["site"]
    assert equipe.find_dead() is None
    assert "« site » s'est arrêté : relancé." in capsys.readouterr().out


def test_celui_qui_ne_tient_pas_arrete_tout_avec_sa_raison(equipe: Equipe) -> None:
    gardien = Gardien(equipe, {}, lambda nom: Empechement(f"{nom} ne tient pas"))
    equipe.start("site", DORMIR)

    def tuer_sans_cesse() -> None:
        for _ in range(RELANCES + 1):
            tuer(equipe, "site")
            gardien.relever()

    with pytest.raises(Empechement, match="site ne tient pas"):
        tuer_sans_cesse()


def test_le_courtier_tue_revient_a_la_meme_adresse(equipe: Equipe, tmp_path: Path) -> None:
    dossier = tmp_path / "courtier"
    adresse = valkey.start(dossier)
    try:
        os.kill(read_pid(dossier / "pid", str(dossier / "pid")), signal.SIGKILL)
        assert wait_until(lambda: not valkey.is_alive(dossier), 10)
        service = Service(lambda: valkey.is_alive(dossier), lambda: valkey.start(dossier, adresse))

        releves = Gardien(equipe, {"courtier": service}, Empechement).relever()

        assert releves == ["courtier"]
        assert redis.from_url(adresse).ping()
    finally:
        valkey.stop(dossier)


def test_la_base_tuee_revient_avec_ses_donnees(equipe: Equipe, tmp_path_factory) -> None:
    dossier = tmp_path_factory.mktemp("base")
    adresse = postgres.start(dossier, durable=True)
    try:
        with psycopg.connect(adresse, autocommit=True) as connexion:
            connexion.execute("CREATE TABLE gardee AS SELECT 1 AS n")
        os.kill(postgres._locate(dossier).pid, signal.SIGKILL)
        assert wait_until(lambda: not postgres.is_alive(dossier), 10)
        service = Service(lambda: postgres.is_alive(dossier), lambda: postgres.start(dossier, durable=True))

        Gardien(equipe, {"base": service}, Empechement).relever()

        with psycopg.connect(adresse) as connexion:
            assert connexion.execute("SELECT n FROM gardee").fetchone() == (1,)
    finally:
        postgres.erase(dossier)
