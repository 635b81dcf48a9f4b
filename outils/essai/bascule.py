"""
Perdre le premier PostgreSQL pendant des paiements, et promouvoir le second : `make essai-bascule`.

La machine d'`essai-installation`, avec un second synchrone et l'adresse à deux hôtes de docs/exploitation.md. Ce qui a
été acquitté, à la personne ou à PayZen, se retrouve ; rien ne se fait sur l'application. PAIEMENTS=1000 d'ordinaire.
"""

import os
import shutil
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from outils.essai.installation import ouvrir
from outils.essai.machine import GRAPPE, Installation, dire, exiger, lancer
from outils.essai.payeurs import Faits, comparer, ecouter, payer_a_plusieurs
from outils.systeme import find_port, wait_until

SECOND = "secours"
REPRISE_S = 5.0


class Paire(Installation):
    """Un premier PostgreSQL, un second synchrone, une adresse qui nomme les deux."""

    def __init__(self, pile: ExitStack) -> None:
        super().__init__(pile)
        self.port_second = find_port()
        hotes = f"127.0.0.1:{self.port_base},127.0.0.1:{self.port_second}"
        self.proprietaire = f"postgresql://rembourser:{self.mdp}@{hotes}/rembourser?target_session_attrs=read-write"

    def suivre_par_un_second(self) -> None:
        """Un second, copié du premier, dont chaque validation attend désormais l'écriture."""
        creer = ["pg_createcluster", "15", SECOND, "--port", str(self.port_second)]
        lancer(*creer, "--", "--auth-host=scram-sha-256")
        self.pile.callback(shutil.rmtree, Path("/etc/postgresql/15", SECOND), ignore_errors=True)
        self.pile.callback(lancer, "pg_dropcluster", "--stop", "15", SECOND)
        for fichier in Path("/etc/postgresql/15", GRAPPE, "conf.d").glob("*.conf"):
            lancer("cp", fichier, Path("/etc/postgresql/15", SECOND, "conf.d"))
        donnees = f"/var/lib/postgresql/15/{SECOND}"
        self.postgres("sh", "-c", f"rm -rf {donnees} && mkdir -m 700 {donnees}")
        source = f"port={self.port_base} application_name={SECOND}"
        self.postgres("pg_basebackup", "-d", source, "-D", donnees, "-R", "-X", "stream", "-c", "fast")
        lancer("pg_ctlcluster", "15", SECOND, "start")
        # Dans conf.d, et non par ALTER SYSTEM : le second, promu, ne doit attendre personne.
        synchrone = Path("/etc/postgresql/15", GRAPPE, "conf.d/synchrone.conf")
        synchrone.write_text(f"synchronous_standby_names = '{SECOND}'\n")
        lancer("pg_ctlcluster", "15", GRAPPE, "reload")
        # Le propriétaire des tables n'a pas le droit de lire cet état.
        etat = ["psql", "-qAt", "-p", str(self.port_base), "-c", "SELECT sync_state FROM pg_stat_replication"]
        exiger(wait_until(lambda: self.postgres(*etat).strip() == "sync", 60), "le second ne suit pas le premier")

    def tuer_le_premier(self) -> None:
        """kill -9 de tous ses processus, sans un mot."""
        premier = int(Path("/var/lib/postgresql/15", GRAPPE, "postmaster.pid").read_text().split()[0])
        fils = lancer("ps", "--ppid", str(premier), "-o", "pid=").split()
        for pid in (premier, *map(int, fils)):
            os.kill(pid, signal.SIGKILL)

    def promouvoir(self) -> float:
        """Promeut le second ; rend l'instant où il accepte d'écrire."""
        lancer("pg_ctlcluster", "15", SECOND, "promote")
        ecrit = ["psql", "-qAt", "-p", str(self.port_second), "-c", "SELECT pg_is_in_recovery()"]
        exiger(wait_until(lambda: self.postgres(*ecrit).strip() == "f", 60), "le second n'est pas promu")
        return time.time()


def main() -> None:
    """Installe la paire, paie, tue le premier au tiers, promeut, finit, compare."""
    combien = int(os.environ.get("PAIEMENTS", "1000"))
    with ouvrir(Paire) as paire:
        paire.suivre_par_un_second()
        dire("le second suit, chaque validation l'attend")
        faits = perdre_le_premier(paire, combien)
        comparer(paire, faits)
        dire("rien d'acquitté n'est perdu")


def perdre_le_premier(paire: Paire, combien: int) -> Faits:
    """Rend tout ce que les payeurs ont dit."""
    deja = int(paire.demander("SELECT count(*) FROM paiements_paiement"))
    compter = "SELECT count(*) FROM paiements_paiement"
    payeurs = payer_a_plusieurs(paire, combien, time.time() + 3600)
    tiers = deja + combien // 3
    exiger(wait_until(lambda: int(paire.demander(compter)) >= tiers, 1800), "les paiements n'avancent pas")
    partis = paire.demander(compter)
    tue = time.time()
    paire.tuer_le_premier()
    dire(f"{partis} paiements, et le premier PostgreSQL est tué (kill -9)")
    promu = paire.promouvoir()
    exiger(wait_until(lambda: paire.sonder("/sante/") == 200, 60), "le service ne revient pas")
    revenu = time.time() - promu
    faits = ecouter(payeurs)
    premier = min(float(instant) for mot, instant, _ in faits if mot == "PARTI" and float(instant) > promu)
    dire(f"promu {promu - tue:.1f} s après ; santé en {revenu:.1f} s, premier paiement en {premier - promu:.1f} s")
    exiger(max(revenu, premier - promu) <= REPRISE_S, f"plus de {REPRISE_S:.0f} s pour revenir")
    return faits


if __name__ == "__main__":
    main()
