"""
Une équipe de processus : lancés ensemble, arrêtés ensemble.

La sortie de chacun va dans son journal ; le terminal reste à ce qui s'adresse à la personne. Chacun est lié à notre
vie par le noyau : même si nous sommes tués brutalement, aucun ne reste.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from outils.systeme import die_with_parent, wait_until

DELAI_ARRET = 15  # secondes : le temps qu'un worker finisse sa tâche


class Equipe:
    """Des processus qui vivent et meurent ensemble."""

    def __init__(self, journaux: Path, environnement: Mapping[str, str], dossier: Path) -> None:
        self.journaux = journaux
        self.environnement = environnement
        self.dossier = dossier
        self.processus: dict[str, subprocess.Popen[bytes]] = {}
        self.commandes: dict[str, Sequence[str | Path]] = {}
        journaux.mkdir(mode=0o700, parents=True, exist_ok=True)

    def start(
        self,
        nom: str,
        commande: Sequence[str | Path],
        *,
        suite: bool = False,
        de_plus: Mapping[str, str] | None = None,
    ) -> None:
        """Lance un processus de plus, son journal remis à zéro ou poursuivi, avec des variables à lui."""
        self.commandes[nom] = commande
        with self.get_log(nom).open("ab" if suite else "wb") as journal:
            self.processus[nom] = subprocess.Popen(
                commande,
                cwd=self.dossier,
                env={**self.environnement, **(de_plus or {})},
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=journal,
                start_new_session=True,  # Ctrl-C au terminal : c'est à nous de les arrêter, dans l'ordre
                preexec_fn=die_with_parent(signal.SIGTERM),
            )

    def run(self, nom: str, commande: Sequence[str | Path], de_plus: Mapping[str, str] | None = None) -> bool:
        """Lance un processus et attend sa fin ; dit s'il a réussi."""
        self.start(nom, commande, de_plus=de_plus)
        try:
            return self.processus[nom].wait() == 0
        finally:
            self._end({nom: self.processus.pop(nom)})

    def restart(self, nom: str) -> None:
        """Relance un processus mort ; ce qui reste de ses enfants est tué d'abord."""
        self._end({nom: self.processus.pop(nom)})
        self.start(nom, self.commandes[nom], suite=True)

    def find_dead(self) -> str | None:
        """Le nom d'un processus qui s'est arrêté de lui-même, s'il y en a un."""
        return next((nom for nom, lance in self.processus.items() if lance.poll() is not None), None)

    def stop(self) -> None:
        """Arrête tout le monde et attend ; ce qui s'attarde, enfants compris, est tué."""
        self._end(self.processus)
        self.processus = {}

    def get_log(self, nom: str) -> Path:
        """Le fichier où va ce que ce processus imprime."""
        return self.journaux / f"{nom}.log"

    def _end(self, lances: Mapping[str, subprocess.Popen[bytes]]) -> None:
        for lance in lances.values():
            lance.terminate()
        wait_until(lambda: all(lance.poll() is not None for lance in lances.values()), DELAI_ARRET)
        for lance in lances.values():
            with suppress(ProcessLookupError):  # le groupe s'est éteint en entier : c'est ce que l'on voulait
                os.killpg(lance.pid, signal.SIGKILL)
            lance.wait()
