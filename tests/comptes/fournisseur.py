"""Un vrai fournisseur OpenID Connect, dans son processus, qui connaît Anne, et ce que sa page demande."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import requests

from outils.systeme import wait_until

CLE = "une clé partagée de trente-deux signes"
ANNE = {
    "family_name": "Durand",
    "given_name": "Anne-Lise",
    "birthdate": "1954-03-12",
    "birthplace": "66136",
    "birthcountry": "99100",
    "acr": "eidas1",
}


def lancer() -> Iterator[str]:
    """L'adresse du fournisseur, tant que l'on s'en sert."""
    with socket.socket() as libre:
        libre.bind(("127.0.0.1", 0))
        port = libre.getsockname()[1]
    personnes = [{"sub": "anne", **ANNE}, {"sub": "faible", **ANNE, "acr": "eidas0"}, {"sub": "trou", "acr": "eidas1"}]
    options = [option for personne in personnes for option in ("--user-claims", json.dumps(personne))]
    commande = [sys.executable, "-m", "oidc_provider_mock", "-n", "true", "-p", str(port), *options]
    processus = subprocess.Popen(commande, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    adresse = f"http://127.0.0.1:{port}"
    try:
        assert wait_until(lambda: _repond(adresse), 120)
        yield adresse
    finally:
        processus.kill()
        processus.wait()


def _repond(adresse: str) -> bool:
    try:
        return requests.get(f"{adresse}/jwks", timeout=5).ok
    except requests.ConnectionError:
        return False


def s_identifier(adresse: str, qui: str = "anne", **saisie: str) -> str:
    """Remplit la page du fournisseur ; rend l'adresse où il renvoie, chez nous."""
    reponse = requests.post(adresse, {"sub": qui, **saisie}, allow_redirects=False, timeout=60)
    return reponse.headers["Location"].removeprefix("http://testserver")
