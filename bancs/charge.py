"""De quoi charger un vrai gunicorn : le lancer, le presser sur des connexions gardées, ou lui parler à l'heure dite."""

import http.client
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from outils.systeme import find_port, wait_until

FORMULAIRE = {"Content-Type": "application/x-www-form-urlencoded"}


class Demande(NamedTuple):
    """Une page à lire, avec son cookie, ou un corps à envoyer."""

    chemin: str
    corps: bytes | None = None
    cookie: str = ""


class Reponse(NamedTuple):
    code: int
    corps: bytes


@contextmanager
def ouvrir_le_web() -> Iterator[tuple[int, int]]:
    """Le gunicorn de production et ses deux ouvriers, le temps du bloc ; rend son port et son pid."""
    port = find_port()
    ecoute = ["--bind", f"127.0.0.1:{port}", "--preload", "--workers", "2", "--threads", "4", "--no-control-socket"]
    web = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "gunicorn", "bancs.wsgi", *ecoute, "--log-level", "error"],
        env=os.environ | {"NIVEAU_JOURNAL": "INFO"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: _repond(port), 120), "gunicorn ne répond pas"
        yield port, web.pid
    finally:
        web.terminate()
        web.wait()


def _repond(port: int) -> bool:
    try:
        return demander(http.client.HTTPConnection("127.0.0.1", port, timeout=5), Demande("/sante/")).code == 200
    except OSError:
        return False


def demander(client: http.client.HTTPConnection, demande: Demande) -> Reponse:
    """Une demande sur cette connexion, réponse lue en entier."""
    entetes = FORMULAIRE if demande.corps is not None else {}
    entetes = entetes | {"Cookie": demande.cookie} if demande.cookie else entetes
    client.request("GET" if demande.corps is None else "POST", demande.chemin, demande.corps, entetes)
    reponse = client.getresponse()
    return Reponse(reponse.status, reponse.read())


def presser(port: int, demandes: list[Demande], connexions: int = 4) -> list[Reponse]:
    """Toutes, aussi vite que possible, sur tant de connexions gardées ; rend les réponses."""

    def envoyer(part: list[Demande]) -> list[Reponse]:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        reponses = [demander(client, demande) for demande in part]
        client.close()
        return reponses

    parts = [demandes[rang::connexions] for rang in range(connexions)]
    with ThreadPoolExecutor(connexions) as fils:
        return [reponse for reponses in fils.map(envoyer, parts) for reponse in reponses]


def envoyer_a_l_heure(port: int, demandes: list[Demande], par_seconde: float) -> list[float]:
    """
    Boucle ouverte : des arrivées au hasard (Poisson), que les précédentes aient leur réponse ou non.

    :returns: les attentes, en secondes, de la plus courte à la plus longue, comptées depuis l'heure prévue
    """
    hasard = random.Random(0)  # noqa: S311 (les mêmes arrivées à chaque fois)

    def envoyer(demande: Demande, prevue: float) -> float:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        reponse = demander(client, demande)
        attente = time.monotonic() - prevue
        client.close()
        assert reponse.code == 200, reponse
        return attente

    prevue = time.monotonic()
    attentes: list[Future[float]] = []
    with ThreadPoolExecutor(32) as fils:
        for demande in demandes:
            prevue += hasard.expovariate(par_seconde)
            time.sleep(max(0.0, prevue - time.monotonic()))
            attentes.append(fils.submit(envoyer, demande, prevue))
    return sorted(attente.result() for attente in attentes)


def get_centile(valeurs: list[float], centile: int) -> float:
    """Le centile de valeurs rangées de la plus petite à la plus grande."""
    return valeurs[len(valeurs) * centile // 100]
