"""La démonstration, relancée sur ses données : de la commande à « Prêt », en secondes. C'est une durée : au calme seulement."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bancs.mesure import Ligne, dire
from outils.systeme import RACINE, find_port

RELANCES = 3
# Le reste de l'environnement des bancs dirait à la démonstration d'employer leur base, leur courtier, leurs secrets.
GARDES = ("PATH", "HOME", "LANG", "TMPDIR")


def relancer(environnement: dict[str, str]) -> float:
    """Lance la démonstration, attend « Prêt », l'arrête ; rend les secondes jusqu'à « Prêt »."""
    debut = time.monotonic()
    commande = [sys.executable, "-m", "outils.demo"]
    with subprocess.Popen(commande, cwd=RACINE, env=environnement, stdout=subprocess.PIPE, text=True) as demonstration:
        assert demonstration.stdout
        vues = []
        for ligne in demonstration.stdout:
            vues.append(ligne)
            if ligne.startswith("Prêt"):
                break
        duree = time.monotonic() - debut
        demonstration.send_signal(signal.SIGTERM)
        demonstration.communicate()
    assert vues[-1].startswith("Prêt"), "".join(vues[-20:])
    return duree


def main() -> None:
    environnement = {nom: os.environ[nom] for nom in GARDES if nom in os.environ}
    environnement |= {"DEMO_DOSSIER": str(Path(os.environ["BANCS_DOSSIER"]) / "demonstration")}
    environnement |= {nom: str(find_port()) for nom in ("PORT", "PORT_SIMULATEUR", "PORT_COURRIEL")}
    relancer(environnement)  # la première fait les données
    durees = [relancer(environnement) for _ in range(RELANCES)]
    dire(Ligne("make demo à chaud, de la commande à « Prêt », en secondes", durees, 8))


if __name__ == "__main__":
    main()
