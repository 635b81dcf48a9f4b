"""De quoi mesurer : le temps de processeur d'un appel, par tours entrelacés, et la ligne d'un tableau."""

import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

TOURS = int(os.environ.get("TOURS", "5"))
TICS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Ligne:
    """
    Une ligne du tableau : des rapports à un plancher mesuré dans la même exécution.

    :ivar but: ce que `nous` ne doit pas dépasser (ou doit atteindre, si `plus_haut_est_mieux`)
    :ivar limite, pair: le travail au plus court, et la façon Django ordinaire, rapportés au même plancher
    """

    nom: str
    nous: list[float]
    but: float
    limite: float | None = None
    pair: float | None = None
    plus_haut_est_mieux: bool = False
    note: str = ""

    @property
    def mediane(self) -> float:
        return statistics.median(self.nous)

    @property
    def is_tenue(self) -> bool:
        return self.mediane >= self.but if self.plus_haut_est_mieux else self.mediane <= self.but


def dire(ligne: Ligne) -> None:
    """Imprime une ligne pour `python -m bancs`, qui les rassemble."""
    print("LIGNE" + json.dumps(asdict(ligne)), flush=True)


def get_cpu(pid: int | None = None) -> float:
    """Le temps de processeur d'un processus, en secondes, utilisateur et système ; le nôtre à défaut."""
    if pid is None:
        return time.process_time()
    champs = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(champs[11]) + int(champs[12])) / TICS


def get_cpu_de(racines: list[int]) -> float:
    """Le temps de processeur de ces processus et de leurs enfants, finis compris."""
    total, enfants = 0.0, list(racines)
    while enfants:
        pid = enfants.pop()
        try:
            champs = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            enfants += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):  # fini entre son nom et sa lecture : son père l'a compté
            continue
        total += sum(int(champ) for champ in champs[11:15]) / TICS
    return total


def comparer(gestes: Mapping[str, Callable[[], object]], fois: Mapping[str, int]) -> dict[str, list[float]]:
    """
    Le temps de processeur de chaque geste, en secondes par appel, un nombre par tour ; tours entrelacés.

    :param fois: combien d'appels par tour ; un premier tour, de chauffe, est jeté
    """
    temps: dict[str, list[float]] = {nom: [] for nom in gestes}
    for tour in range(TOURS + 1):
        for nom, geste in gestes.items():
            avant = get_cpu()
            for _ in range(fois[nom]):
                geste()
            if tour:
                temps[nom].append((get_cpu() - avant) / fois[nom])
    return temps


def rapporter(temps: Mapping[str, list[float]], nom: str, plancher: str) -> list[float]:
    """Le rapport d'un geste au plancher, tour par tour."""
    return [nous / bas for nous, bas in zip(temps[nom], temps[plancher], strict=True)]
