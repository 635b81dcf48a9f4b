"""Ce que la commande `make demo` dit quand elle ne peut pas démarrer."""

import fcntl
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from outils import demo, valkey
from outils.systeme import Empechement, find_port, read_pid
from tests.ports import tirer_des_ports

RACINE = Path(__file__).parents[2]


def run_demo(dossier: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    propre = {nom: valeur for nom, valeur in os.environ.items() if not nom.startswith(("MAKE", "PORT"))}
    return subprocess.run(
        [sys.executable, "-m", "outils.demo"],
        cwd=RACINE,
        env={**propre, "DEMO_DOSSIER": str(dossier), **variables},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_un_port_pris_arrete_la_commande_par_une_phrase(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", find_port())) as prise:
        port = str(prise.getsockname()[1])

        commande = run_demo(tmp_path / "demo", PORT=port)

    assert commande.returncode == 1
    assert f"Arrêt : le port {port} est déjà pris" in commande.stderr
    assert "Traceback" not in commande.stderr


def test_une_seconde_demonstration_au_meme_endroit_est_refusee(tmp_path: Path) -> None:
    with (tmp_path / "verrou").open("w") as verrou:
        fcntl.flock(verrou, fcntl.LOCK_EX)

        commande = run_demo(tmp_path)

    assert commande.returncode == 1
    assert "tourne déjà" in commande.stderr


def test_un_disque_plein_se_dit_avant_de_commencer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "get_free_space", lambda _: 12)
    noms = ("PORT", "PORT_SIMULATEUR", "PORT_COURRIEL")
    for nom, port in zip(noms, tirer_des_ports(3), strict=True):
        monkeypatch.setenv(nom, str(port))

    with ExitStack() as pile, pytest.raises(Empechement, match="le disque est plein : il reste 12 Mo"):
        demo._run(tmp_path, pile)

    assert list(tmp_path.iterdir()) == []


def test_le_courtier_demande_son_mot_de_passe_et_ne_laisse_rien(tmp_path: Path) -> None:
    url = valkey.start(tmp_path / "courtier")
    with redis.from_url(url) as connu, redis.from_url(url.replace("redis://:", "redis://:faux")) as inconnu:
        assert connu.ping()
        with pytest.raises(redis.AuthenticationError):
            inconnu.ping()

    valkey.stop(tmp_path / "courtier")

    assert read_pid(tmp_path / "courtier/pid", "") is None
