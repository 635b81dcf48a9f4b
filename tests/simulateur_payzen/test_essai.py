"""`python -m simulateur_payzen essai` : une autre équipe essaie son marchand en une commande."""

import os
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import requests

from tests.simulateur_payzen.plateforme import attendre, is_pret, lancer, trouver_port

ENVIRONNEMENT = {nom: valeur for nom, valeur in os.environ.items() if not nom.startswith("SIMULATEUR_")}


def essayer(dossier: Path, faire: Callable[[str], object] = lambda _: None, **reglages: str) -> str:
    """Lance l'essai, attend qu'il serve, fait ce qu'on lui dit à son adresse, l'arrête ; rend ce qu'il a dit."""
    port = trouver_port()
    options = ("essai", "--port", str(port), "--dossier", str(dossier))
    processus = lancer(ENVIRONNEMENT | reglages, *options, sortie=subprocess.PIPE)
    try:
        attendre(lambda: is_pret(f"http://127.0.0.1:{port}", processus))
        faire(f"http://127.0.0.1:{port}")
    finally:
        processus.terminate()
        sortie, _ = processus.communicate()
    return sortie.decode()


def test_les_cles_se_tirent_une_fois_et_ne_se_lisent_que_de_leur_proprietaire(tmp_path: Path) -> None:
    premiere = essayer(tmp_path / "simulateur")
    seconde = essayer(tmp_path / "simulateur")

    (cle,) = re.findall(r"Boutique 12345678, mode TEST : clé (\S+),", premiere)
    assert len(cle) >= 16
    assert f"clé {cle}," in seconde
    assert stat.S_IMODE((tmp_path / "simulateur" / "acces.json").stat().st_mode) == 0o600


def test_les_boutiques_du_marchand_l_emportent(tmp_path: Path) -> None:
    cles = '"cle_test": "a", "cle_production": "b", "mot_de_passe_test": "c", "mot_de_passe_production": "d"'

    sortie = essayer(tmp_path, SIMULATEUR_BOUTIQUES=f'{{"87654321": {{"nom": "La mienne", {cles}}}}}')

    assert "Boutique 87654321, mode TEST : clé a, mot de passe c" in sortie
    assert "12345678" not in sortie


def test_les_journaux_se_deposent_a_cote_des_cles(tmp_path: Path) -> None:
    """Ceux du jour, à la demande ; le moteur y met aussi ceux de la veille, s'il en a eu le temps."""
    demandes: list[str] = []

    def demander(adresse: str) -> None:
        demandes.extend(requests.post(f"{adresse}/controle/journaux/", json={}, timeout=30).json()["journaux"])

    essayer(tmp_path, demander)

    assert sorted(nom.split("_")[1] for nom in demandes) == ["JO", "JRB", "JRI", "JT"]
    assert set(demandes) <= {journal.name for journal in (tmp_path / "journaux").iterdir()}
