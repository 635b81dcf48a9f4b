"""`make test` sans choix : la suite entière, en deux moitiés à la fois, chacune avec sa base et ses services."""

import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from outils.bilan import MARQUE
from outils.systeme import RACINE

ARGENT = ("nuits", "paiements", "pannes", "simulateur_payzen")
COMPTE = re.compile(r"(\d+) (passed|failed|skipped|xfailed|xpassed|errors?|deselected)")


def list_moities() -> dict[str, list[str]]:
    """Ce que joue chaque moitié : l'argent et sa banque, puis le reste ; un dossier neuf y entre seul."""
    dossiers = sorted(chemin.parent for chemin in Path(RACINE, "tests").glob("*/test_*.py"))
    noms = list(dict.fromkeys(dossier.name for dossier in dossiers))
    return {
        "argent": [f"tests/{nom}" for nom in noms if nom in ARGENT],
        "reste": [f"tests/{nom}" for nom in noms if nom not in ARGENT],
    }


def count(lignes: Iterable[str]) -> Counter[str]:
    """Additionne les comptes que pytest écrit à sa dernière ligne."""
    total: Counter[str] = Counter()
    for ligne in lignes:
        total.update({mot: int(nombre) for nombre, mot in COMPTE.findall(ligne)})
    return total


def main() -> None:
    """Joue les deux moitiés, puis dit ce qu'elles ont prouvé ; code 1 si l'une échoue, ou n'a rien joué."""
    processus = {nom: _start(dossiers) for nom, dossiers in list_moities().items()}
    dernieres: dict[str, str] = {}
    bilan: list[str] = []
    fils = [
        threading.Thread(target=_relay, args=(nom, moitie.stdout, dernieres, bilan))
        for nom, moitie in processus.items()
    ]
    for fil in fils:
        fil.start()
    try:
        codes = [moitie.wait() for moitie in processus.values()]
    except KeyboardInterrupt:  # les deux moitiés l'ont reçu aussi, et rangent
        codes = [moitie.wait() for moitie in processus.values()]
    for fil in fils:
        fil.join()
    print("".join(bilan) + tell(count(dernieres.values())))
    sys.exit(1 if any(codes) or len(dernieres) < len(processus) else 0)


def tell(total: Counter[str]) -> str:
    """La dernière ligne : ce qui est passé, ce qui est tombé, puis ce qui n'a rien prouvé."""
    tombes = total["failed"] + total["error"] + total["errors"]
    autres = [f", {total[mot]} {mot}" for mot in ("skipped", "xfailed", "xpassed") if total[mot]]
    return f"{total['passed']} passed, {tombes} failed" + "".join(autres)


def _start(dossiers: list[str]) -> subprocess.Popen[str]:
    commande = [sys.executable, "-u", "-m", "pytest", "-q", *dossiers]
    return subprocess.Popen(commande, cwd=RACINE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _relay(nom: str, sortie: IO[str] | None, dernieres: dict[str, str], bilan: list[str]) -> None:
    """Montre chaque ligne dès qu'elle est entière, garde le bilan pour la fin, et retient la ligne qui compte."""
    for ligne in sortie or ():
        if ligne.startswith(MARQUE):
            bilan.append(ligne)
            continue
        print(f"{nom:7} {ligne}", end="", flush=True)
        if re.search(r" in [\d.]+s", ligne) and COMPTE.search(ligne):
            dernieres[nom] = ligne


if __name__ == "__main__":
    main()
