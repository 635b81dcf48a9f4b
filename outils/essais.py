"""`make test` sans choix : la suite entière, un dossier d'essais par place, autant de places que de cœurs."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from outils import bilan
from outils.systeme import RACINE

# Partis d'abord : un long dossier pris en dernier ferait attendre les autres places.
LONGS = ("navigateur", "paiements", "pannes", "caf_remboursement", "comptes")
# Chaque place a sa base, son courtier et ses processus : au-delà, c'est la mémoire qui manque.
PLACES = (2, 4)
COMPTE = re.compile(r"(\d+) (passed|failed|skipped|xfailed|xpassed|errors?|deselected)")


class Joue(NamedTuple):
    """Un dossier joué : le code de pytest, la ligne où il compte (vide s'il n'est pas allé jusque-là), ses chutes."""

    dossier: str
    code: int
    comptes: str
    chutes: list[str]


def list_dossiers() -> list[str]:
    """Les dossiers de tests/ qui tiennent des essais, les plus longs d'abord ; un dossier neuf y entre seul."""
    noms = {chemin.parent.name for chemin in Path(RACINE, "tests").glob("*/test_*.py")}
    return sorted(noms, key=lambda nom: (LONGS.index(nom) if nom in LONGS else len(LONGS), nom))


def count(lignes: Iterable[str]) -> Counter[str]:
    """Additionne les comptes que pytest écrit à sa dernière ligne."""
    total: Counter[str] = Counter()
    for ligne in lignes:
        total.update({mot: int(nombre) for nombre, mot in COMPTE.findall(ligne)})
    return total


def main() -> None:
    """Joue tous les dossiers, puis dit ce qu'ils ont prouvé ; code 1 si l'un échoue, ou n'est pas allé au bout."""
    bas, haut = PLACES
    places = ThreadPoolExecutor(min(max(bas, os.cpu_count() or bas), haut))
    try:
        joues = list(places.map(play, list_dossiers()))
    finally:  # interrompus, les dossiers en cours l'ont été aussi, et rangent ; les autres ne partent pas
        places.shutdown(cancel_futures=True)
    # Nommés à la fin aussi : deux places mêlent leurs lignes, et qui ne lit que la fin doit savoir quoi rejouer.
    print("".join(chute for joue in joues for chute in joue.chutes), end="")
    print("\n".join(bilan.tell(Counter({joue.dossier: count([joue.comptes])["passed"] for joue in joues}))))
    print(tell(count(joue.comptes for joue in joues)))
    sys.exit(0 if all(joue.code == 0 and joue.comptes for joue in joues) else 1)


def tell(total: Counter[str]) -> str:
    """La dernière ligne : ce qui est passé, ce qui est tombé, puis ce qui n'a rien prouvé."""
    tombes = total["failed"] + total["error"] + total["errors"]
    autres = [f", {total[mot]} {mot}" for mot in ("skipped", "xfailed", "xpassed") if total[mot]]
    return f"{total['passed']} passed, {tombes} failed" + "".join(autres)


def play(dossier: str) -> Joue:
    """Joue un dossier, et montre chaque ligne dès qu'elle est entière."""
    commande = [sys.executable, "-u", "-m", "pytest", "-q", f"tests/{dossier}"]
    comptes, chutes = "", []
    with subprocess.Popen(commande, cwd=RACINE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pytest:
        for ligne in pytest.stdout or ():
            if ligne.startswith(bilan.MARQUE):
                continue
            print(f"{dossier:17} {ligne}", end="", flush=True)
            if ligne.startswith(("FAILED ", "ERROR ")):
                chutes.append(ligne)
            if re.search(r" in [\d.]+s", ligne) and COMPTE.search(ligne):
                comptes = ligne
    return Joue(dossier, pytest.returncode, comptes, chutes)


if __name__ == "__main__":
    main()
