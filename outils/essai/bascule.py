"""
Perdre le premier PostgreSQL pendant des paiements, et promouvoir le second : `make essai-bascule`.

La machine d'`essai-installation`, avec un second synchrone et l'adresse à deux hôtes de docs/exploitation.md. Ce qui a
été acquitté, à la personne ou à PayZen, se retrouve ; rien ne se fait sur l'application. PAIEMENTS=1000 d'ordinaire.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import requests

from outils.essai.installation import demarrer, installer
from outils.essai.machine import GRAPPE, Installation, dire, exiger, lancer
from outils.systeme import find_port, wait_until

SECOND = "secours"
PAYEURS = 4
REPRISE_S = 5.0
PAYER = """
import requests, time
from decimal import Decimal
from django.db import connection
from django.db.models import Sum
from comptes.models import Utilisateur
from demarches import services as demarches
from paiements.depart import payer
personnes = Utilisateur.objects.filter(allocataire__caf="661").annotate(du=Sum("allocataire__dettes__solde"))
personne = personnes.order_by("-du", "pk")[{rang}]
def partir(rang):
    dettes = [dette for dette in demarches.get_dettes_de(personne.allocataire) if dette.disponible >= 2]
    demarche = demarches.enregistrer_informations(demarches.commencer(personne), courriel="")
    demarche = demarches.enregistrer_montants(demarche, {{dettes[rang % len(dettes)].pk: Decimal("1.00")}})
    return payer(demarche, empreinte_vue=demarches.empreinte(demarche))
rang = 0
while rang < {combien}:
    try:
        depart = partir(rang)
    except Exception as refus:  # la personne réessaie : base absente, ou récapitulatif à relire
        print("REFUS", time.time(), type(refus).__name__, flush=True)
        connection.close()
        time.sleep(0.2)
        continue
    print("PARTI", time.time(), depart.paiement.reference, flush=True)
    web = requests.Session()
    page = web.post(depart.adresse, data=depart.champs, timeout=60)
    for saisie in ({{"marque": "CB"}}, {carte}):
        web.post(page.url, data=saisie, timeout=60)
    rang += 1
"""


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
        etat = "SELECT sync_state FROM pg_stat_replication"
        exiger(wait_until(lambda: self.demander(etat) == "sync", 60), "le second ne suit pas le premier")

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

    def payer_a_plusieurs(self, combien: int) -> list["subprocess.Popen[str]"]:
        """Des personnes qui paient un euro après l'autre, et réessaient quand le service ne répond pas."""
        carte = {"numero": "4970100000000055", "mois": "12", "annee": "2030", "cryptogramme": "123"}
        python = "/srv/rembourser/courant/.venv/bin/python"
        return [
            subprocess.Popen(
                [python, "manage.py", "shell", "--verbosity", "0", "-c", script],
                cwd="/srv/rembourser/courant",
                env=self.environnement,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for script in (PAYER.format(rang=rang, combien=combien // PAYEURS, carte=carte) for rang in range(PAYEURS))
        ]

    def lister_les_debits(self) -> dict[str, int]:
        """Ce que la plateforme tient, en centimes, par référence."""
        reponse = requests.get(f"http://127.0.0.1:{self.simulateur}/controle/transactions/", timeout=60).json()
        debits: dict[str, int] = {}
        for t in reponse["transactions"]:
            if t["operation"] == "DEBIT" and t["statut"] in ("AUTHORISED", "CAPTURED"):
                debits[t["order_id"]] = debits.get(t["order_id"], 0) + t["montant"]
        return debits


def main() -> None:
    """Installe la paire, paie, tue le premier au tiers, promeut, finit, compare."""
    combien = int(os.environ.get("PAIEMENTS", "1000"))
    if os.geteuid() != 0:
        raise SystemExit("Cet essai installe des paquets et des comptes : il lui faut root.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("arrêté"))
    with ExitStack() as pile:
        paire = Paire(pile)
        installer(paire)
        demarrer(paire)
        paire.suivre_par_un_second()
        dire("le second suit, chaque validation l'attend")
        faits = perdre_le_premier(paire, combien)
        comparer(paire, faits)
        dire("rien d'acquitté n'est perdu")


def perdre_le_premier(paire: Paire, combien: int) -> list[list[str]]:
    """Rend les lignes de tous les payeurs : (mot, instant, référence ou refus)."""
    deja = int(paire.demander("SELECT count(*) FROM paiements_paiement"))
    compter = "SELECT count(*) FROM paiements_paiement"
    payeurs = paire.payer_a_plusieurs(combien)
    for payeur in payeurs:
        paire.pile.callback(payeur.kill)
    tiers = deja + combien // 3
    exiger(wait_until(lambda: int(paire.demander(compter)) >= tiers, 1800), "les paiements n'avancent pas")
    partis = paire.demander(compter)
    paire.tuer_le_premier()
    dire(f"{partis} paiements, et le premier PostgreSQL est tué (kill -9)")
    promu = paire.promouvoir()
    exiger(wait_until(lambda: paire.sonder("/sante/") == 200, 60), "le service ne revient pas")
    revenu = time.time() - promu
    faits = [ligne.split() for payeur in payeurs for ligne in payeur.communicate()[0].splitlines()]
    premier = min(float(instant) for mot, instant, _ in faits if mot == "PARTI" and float(instant) > promu)
    dire(f"promu ; santé en {revenu:.1f} s, premier paiement reparti en {premier - promu:.1f} s")
    exiger(max(revenu, premier - promu) <= REPRISE_S, f"plus de {REPRISE_S:.0f} s pour revenir")
    return faits


def comparer(paire: Paire, faits: list[list[str]]) -> None:
    """Chaque paiement acquitté est là, imputé, une fois, au centime que la plateforme tient."""
    partis = [reference for mot, _, reference in faits if mot == "PARTI"]
    refus = [(float(instant), pourquoi) for mot, instant, pourquoi in faits if mot == "REFUS"]
    duree = max((i for i, _ in refus), default=0.0) - min((i for i, _ in refus), default=0.0)
    especes = ", ".join(sorted({pourquoi for _, pourquoi in refus}))
    dire(f"{len(partis)} paiements partis ; {len(refus)} refus en {duree:.1f} s : {especes}")
    dire(f"tous imputés en {paire.attendre_l_imputation(partis):.1f} s")
    tenus = paire.lister_les_debits()
    lignes = paire.demander(
        "SELECT p.reference, coalesce(sum(i.montant) * 100, 0)::int FROM paiements_paiement p"
        " LEFT JOIN paiements_imputation i ON i.paiement_id = p.id GROUP BY 1"
    )
    imputes = {reference: int(somme) for reference, somme in (ligne.split("|") for ligne in lignes.splitlines())}
    exiger({r: s for r, s in imputes.items() if s} == tenus, "les deux livres ne sont pas égaux")
    dire(f"plateforme {sum(tenus.values())} centimes, imputé {sum(imputes.values())} centimes")
    dire(paire.gerer("verifier_invariants").strip())


if __name__ == "__main__":
    main()
