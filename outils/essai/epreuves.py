"""
Casser la machine au hasard pendant que l'on paie : `make epreuves`. DUREE=600 secondes, GRAINE=1 d'ordinaire.

Chaque panne est vraie : un processus tué ou figé, la base qui tombe, une plateforme lente, muette ou menteuse. À la
fin, les livres de la plateforme et les nôtres sont égaux au centime, sans une main sur l'application.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import requests

from outils.essai.conduite import GRAPPE, UNITES, dire, essayer, exiger, lancer
from outils.essai.installation import demarrer, installer
from outils.essai.machine import Installation
from outils.essai.payeurs import comparer, ecouter, payer_a_plusieurs
from outils.systeme import wait_until

VOISINS = ("courtier", "nginx", "simulateur")
GUNICORNS = tuple(unite for unite in UNITES if unite.startswith(("site", "notification")))
FILS = (*GUNICORNS, "ouvrier@argent", "ouvrier@payzen", "ouvrier@tickets")
IPN = ("perdue", "retardee", "double", "apres_retour", "desordre", "signature_fausse", "mode_autre")
REST = ("delai", "erreur_500", "html")
VERROUS = {
    "dettes": "SELECT FROM dettes_dette FOR NO KEY UPDATE",
    "paiements": "SELECT FROM paiements_paiement FOR NO KEY UPDATE",
    "table des dettes": "LOCK dettes_dette IN ACCESS EXCLUSIVE MODE",
}
FIGE_S, RELANCE_S = 5, 2


class Epreuve(Installation):
    """La machine, et un veilleur qui relance ce qui meurt, comme `Restart=always` et `RestartSec=2`."""

    def __init__(self, pile: ExitStack) -> None:
        super().__init__(pile)
        self.recettes: dict[str, tuple[list[str], Path, str, dict[str, str]]] = {}
        self.silences: list[float] = []
        self.fini = threading.Event()

    def _lancer(self, nom: str, commande: list[str], dossier: Path, compte: str, **plus: str) -> None:
        self.recettes[nom] = (commande, dossier, compte, plus)
        super()._lancer(nom, commande, dossier, compte, **plus)

    def veiller(self) -> None:
        """Relance chaque processus mort, PostgreSQL compris."""
        while not self.fini.wait(1):
            for nom, lance in list(self.lances.items()):
                if lance.poll() is not None:
                    time.sleep(RELANCE_S)
                    commande, dossier, compte, plus = self.recettes[nom]
                    self._lancer(nom, commande, dossier, compte, **plus)
            if essayer("pg_ctlcluster", "15", GRAPPE, "status")[0] == 3:
                time.sleep(RELANCE_S)
                essayer("pg_ctlcluster", "15", GRAPPE, "start")

    def sonder_toujours(self) -> None:
        """Note combien dure chaque silence de /sante/, vu du dehors."""
        depuis: float | None = None
        while not self.fini.wait(0.2):
            if self.sonder("/sante/") == 200:
                if depuis is not None:
                    self.silences.append(time.monotonic() - depuis)
                depuis = None
            elif depuis is None:
                depuis = time.monotonic()

    @contextmanager
    def en_veille(self) -> Iterator[None]:
        """Le veilleur et la sonde, le temps des épreuves."""
        fils = [threading.Thread(target=quoi) for quoi in (self.veiller, self.sonder_toujours)]
        for fil in fils:
            fil.start()
        try:
            yield
        finally:
            self.fini.set()
            for fil in fils:
                fil.join()

    # --- Les pannes

    def tuer(self, nom: str) -> None:
        """kill -9 du processus et de ses fils."""
        os.killpg(self.lances[nom].pid, signal.SIGKILL)

    def tuer_un_fils(self, nom: str) -> None:
        """kill -9 d'un seul fils : le père en refait un."""
        fils = essayer("ps", "--ppid", str(self.lances[nom].pid), "-o", "pid=")[1].split()
        for pid in fils[:1]:
            os.kill(int(pid), signal.SIGKILL)

    def figer(self, nom: str) -> None:
        """SIGSTOP de tout le groupe, cinq secondes."""
        groupe = self.lances[nom].pid
        os.killpg(groupe, signal.SIGSTOP)
        time.sleep(FIGE_S)
        os.killpg(groupe, signal.SIGCONT)

    def tuer_la_base(self) -> None:
        """kill -9 du père de PostgreSQL : ses fils s'arrêtent d'eux-mêmes, la reprise rejoue le WAL."""
        os.kill(int(Path("/var/lib/postgresql/15", GRAPPE, "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def relancer_la_base(self) -> None:
        """Un redémarrage « immediate », sans point de reprise."""
        essayer("pg_ctlcluster", "15", GRAPPE, "restart", "-m", "immediate")

    def couper_les_connexions(self) -> None:
        """Toutes les connexions de la base, d'un coup."""
        couper = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename LIKE 'rembourser_%'"
        self.postgres("psql", "-qAt", "-p", str(self.port_base), "-c", couper)

    def tenir(self, quoi: str) -> None:
        """Un verrou gardé par un autre, cinq secondes."""
        self.demander(f"BEGIN; SET LOCAL lock_timeout = '20s'; {VERROUS[quoi]}; SELECT pg_sleep({FIGE_S}); COMMIT")

    def deregler(self, cible: str, genre: str) -> None:
        """Une panne de la plateforme, dix secondes ; puis elle est ôtée."""
        self._regler(cible, {"genre": genre, "secondes": 9 if genre == "delai" else 3})
        time.sleep(2 * FIGE_S)
        self._regler(cible, None)

    def vider_le_courtier(self) -> None:
        """Valkey perd tout ce qu'il tenait."""
        lancer("redis-cli", "-p", str(self.courtier), "-a", self.mdp, "--no-auth-warning", "FLUSHALL")

    def _regler(self, cible: str, panne: dict[str, Any] | None) -> None:
        adresse = f"http://127.0.0.1:{self.simulateur}/controle/"
        requests.post(adresse, json={"reglages": {}, "pannes": {cible: panne}}, timeout=60).raise_for_status()

    def lister(self) -> dict[str, Callable[[], None]]:
        """Toutes les pannes, par leur nom."""
        pannes: dict[str, Callable[[], None]] = {
            "PostgreSQL tué": self.tuer_la_base,
            "PostgreSQL relancé": self.relancer_la_base,
            "connexions coupées": self.couper_les_connexions,
            "courtier vidé": self.vider_le_courtier,
        }
        pannes |= {f"{nom} tué": partial(self.tuer, nom) for nom in (*UNITES, *VOISINS)}
        pannes |= {f"un fils de {nom} tué": partial(self.tuer_un_fils, nom) for nom in FILS}
        pannes |= {f"{nom} figé": partial(self.figer, nom) for nom in (*UNITES, *VOISINS)}
        pannes |= {f"verrou : {quoi}": partial(self.tenir, quoi) for quoi in VERROUS}
        pannes |= {f"notification {genre}": partial(self.deregler, "ipn", genre) for genre in IPN}
        return pannes | {f"REST {genre}": partial(self.deregler, "rest", genre) for genre in REST}

    def guerir(self) -> float:
        """Secondes jusqu'à ce qu'un paiement né après la panne soit sur sa dette."""
        debut, instant = time.monotonic(), time.time()
        nes = f"statut = 'IMPUTE' AND cree_le > to_timestamp({instant})"
        requete = f"SELECT count(*) FROM paiements_paiement WHERE {nes}"  # noqa: S608 (un nombre)

        def is_gueri() -> bool:
            return essayer("psql", self.proprietaire, "-At", "-c", requete)[1].strip() not in ("", "0")

        exiger(wait_until(is_gueri, 180), "aucun paiement ne s'impute plus")
        return time.monotonic() - debut


def main() -> None:
    """Installe, paie, casse au hasard le temps dit, guérit, compare."""
    duree, graine = float(os.environ.get("DUREE", "600")), int(os.environ.get("GRAINE", "1"))
    if os.geteuid() != 0:
        raise SystemExit("Cet essai installe des paquets et des comptes : il lui faut root.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("arrêté"))
    with ExitStack() as pile:
        machine = Epreuve(pile)
        installer(machine)
        demarrer(machine)
        with machine.en_veille():
            payeurs = payer_a_plusieurs(machine, 1_000_000, duree)
            exiger(machine.guerir() < 180, "les paiements n'avancent pas")
            eprouver(machine, duree, Random(graine))  # noqa: S311 (un tirage qui se rejoue)
            faits = ecouter(payeurs)
            comparer(machine, faits)
        dire(f"plus long silence du service : {max(machine.silences, default=0.0):.1f} s")


def eprouver(machine: Epreuve, duree: float, alea: Random) -> None:
    """Chaque panne une fois, dans un ordre tiré, puis de nouveau, jusqu'à l'heure."""
    fin = time.monotonic() + duree - 30
    guerisons: dict[str, float] = {}
    a_faire: list[str] = []
    pannes = machine.lister()
    while time.monotonic() < fin:
        a_faire = a_faire or alea.sample(sorted(pannes), len(pannes))
        nom = a_faire.pop()
        pannes[nom]()
        guerisons[nom] = max(machine.guerir(), guerisons.get(nom, 0.0))
        dire(f"{nom} : guéri en {guerisons[nom]:.1f} s")
    pire = max(guerisons, key=lambda nom: guerisons[nom])
    dire(f"{len(guerisons)} pannes sur {len(pannes)} ; la plus longue à guérir : {pire}, {guerisons[pire]:.1f} s")


if __name__ == "__main__":
    main()
