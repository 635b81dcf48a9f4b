"""Le simulateur lancé une fois dans son processus, vidé avant chaque test."""

import http.server
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulateur_payzen.plateforme import (
    Marchand,
    Recue,
    Simulateur,
    attendre,
    get_environnement,
    is_pret,
    lancer,
    poster,
    trouver_port,
)


@pytest.fixture(scope="session")
def marchand_de_session() -> Iterator[Marchand]:
    """Un petit serveur qui tient lieu de boutique."""
    marchand = Marchand("")

    class Reponse(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            corps = self.rfile.read(int(self.headers["Content-Length"])).decode()
            marchand.recues.append(Recue(corps, time.monotonic()))
            time.sleep(marchand.lenteur_s)
            self.send_response(marchand.code)
            if 300 <= marchand.code < 400:
                self.send_header("Location", f"{marchand.url}ailleurs/")
            self.end_headers()

        def do_GET(self) -> None:
            marchand.visites.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    serveur = http.server.ThreadingHTTPServer(("127.0.0.1", trouver_port()), Reponse)
    marchand.url = f"http://127.0.0.1:{serveur.server_port}/"
    fil = threading.Thread(target=serveur.serve_forever)
    fil.start()
    yield marchand
    serveur.shutdown()
    fil.join()
    serveur.server_close()


@pytest.fixture(scope="session")
def environnement(tmp_path_factory: pytest.TempPathFactory, marchand_de_session: Marchand) -> dict[str, str]:
    """L'environnement complet ; un test peut en ôter une variable."""
    return get_environnement(tmp_path_factory.mktemp("simulateur"), marchand_de_session.url)


@pytest.fixture(scope="session")
def simulateur_de_session(environnement: dict[str, str], marchand_de_session: Marchand) -> Iterator[Simulateur]:
    """Un seul serveur pour toute la suite, arrêté par SIGTERM."""
    port, dossier = trouver_port(), Path(environnement["SIMULATEUR_BASE"]).parent
    with (dossier / "journal.txt").open("wb") as sortie:
        processus = lancer(environnement, "serveur", "--port", str(port), sortie=sortie)
        base = f"http://127.0.0.1:{port}"
        try:
            attendre(lambda: is_pret(base, processus))
            yield Simulateur(base, marchand_de_session, dossier)
        finally:
            processus.send_signal(signal.SIGTERM)
            assert processus.wait(120) == 0


@pytest.fixture
def marchand(marchand_de_session: Marchand) -> Marchand:
    """La boutique, sans souvenir."""
    marchand_de_session.vider()
    return marchand_de_session


@pytest.fixture
def simulateur(simulateur_de_session: Simulateur, marchand: Marchand) -> Simulateur:
    """La plateforme, sans souvenir."""
    reponse = poster(f"{simulateur_de_session.base}/controle/remise_a_zero/")
    assert reponse.status_code == 200
    return simulateur_de_session
