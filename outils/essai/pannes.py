"""Les pannes que l'on fait : chacune est vraie, dure quelques secondes, et se défait seule."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import requests

from outils.essai.bascule import SECOND, Paire
from outils.essai.conduite import COPIES, DONNEES, GRAPPE, RUN, UNITES, VAR, essayer, lancer
from outils.essai.relais import Relais

VOISINS = ("courtier", "nginx", "simulateur")
GUNICORNS = tuple(unite for unite in UNITES if unite.startswith(("site", "notification")))
FILS = (*GUNICORNS, "ouvrier@argent", "ouvrier@payzen", "ouvrier@tickets")
IPN = ("perdue", "retardee", "double", "apres_retour", "desordre", "signature_fausse", "mode_autre")
REST = ("delai", "erreur_500", "html", "tronquee", "vide", "liste", "refusee", "inconnue")
VERROUS = {
    "dettes": "SELECT FROM dettes_dette FOR NO KEY UPDATE",
    "paiements": "SELECT FROM paiements_paiement FOR NO KEY UPDATE",
    "table des dettes": "LOCK dettes_dette IN ACCESS EXCLUSIVE MODE",
}
# Les disques que l'on sait remplir : chacun est ici un système de fichiers à lui, que l'on rétrécit à ce qu'il tient.
DISQUES = {
    "base": DONNEES,
    "WAL archivés": COPIES / "wal",
    "journaux": VAR,
    "fichiers temporaires": RUN / "temporaire",
}
DISQUE_MO = 3000
# Un processus y lit de combien de secondes son heure est fausse (`horloge.c`).
HORLOGE = RUN / "horloge"
DECALES = ("site@2", "notification@2", "ouvrier@payzen", "planificateur")
SAUTS = {"avance de dix minutes": "600", "recule de dix minutes": "-600"}
FIGE_S = 5


class Pannes(Paire):
    """Une machine que l'on casse."""

    relais: dict[str, Relais]

    # --- Les processus

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

    # --- Les bases

    def tuer_la_base(self, grappe: str) -> None:
        """kill -9 du père de PostgreSQL : ses fils s'arrêtent d'eux-mêmes, la reprise rejoue le WAL."""
        pid = int(Path("/var/lib/postgresql/15", grappe, "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def figer_le_second(self) -> None:
        """Le second ne répond plus, cinq secondes : chaque validation l'attend."""
        pid = int(Path("/var/lib/postgresql/15", SECOND, "postmaster.pid").read_text().split()[0])
        groupe = [pid, *map(int, lancer("ps", "--ppid", str(pid), "-o", "pid=").split())]
        for signe in (signal.SIGSTOP, signal.SIGCONT):
            for processus in groupe:
                os.kill(processus, signe)
            time.sleep(FIGE_S if signe == signal.SIGSTOP else 0)

    def relancer_la_base(self) -> None:
        """Un redémarrage « immediate », sans point de reprise."""
        essayer("pg_ctlcluster", "15", GRAPPE, "restart", "-m", "immediate")

    def couper_les_connexions(self) -> None:
        """Toutes les connexions de la base, d'un coup."""
        couper = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename LIKE 'rembourser_%'"
        self.postgres("psql", "-qAt", "-p", str(self.port_base), "-c", couper)

    def tenir(self, quoi: str) -> None:
        """Un verrou gardé par un autre, cinq secondes ; renoncer à l'avoir en est une aussi."""
        sql = f"BEGIN; SET LOCAL lock_timeout = '20s'; {VERROUS[quoi]}; SELECT pg_sleep({FIGE_S}); COMMIT"
        essayer("psql", self.proprietaire, "-qAt", "-c", sql)

    # --- Les voisins

    def deregler(self, cible: str, genre: str) -> None:
        """Une panne de la plateforme, dix secondes ; puis elle est ôtée."""
        self.regler_la_plateforme({}, {cible: {"genre": genre, "secondes": 9 if genre == "delai" else 3}})
        time.sleep(2 * FIGE_S)
        self.regler_la_plateforme({}, {cible: None})

    def decaler_la_plateforme(self, secondes: int) -> None:
        """Son horloge n'est plus la nôtre, cinq secondes."""
        self.regler_la_plateforme({"decalage_horloge_s": secondes}, {})
        time.sleep(FIGE_S)
        self.regler_la_plateforme({"decalage_horloge_s": 0}, {})

    def regler_la_plateforme(self, reglages: dict[str, Any], pannes: dict[str, Any]) -> None:
        """Ses réglages et ses pannes (`simulateur_payzen/controle.py`)."""
        adresse = f"http://127.0.0.1:{self.simulateur}/controle/"
        demande = {"reglages": reglages, "pannes": pannes}
        requests.post(adresse, json=demande, timeout=60).raise_for_status()

    def derouter(self, voisin: str, etat: str) -> None:
        """Le réseau vers un voisin, coupé, muet ou lent, cinq secondes."""
        self.relais[voisin].regler(etat)
        time.sleep(FIGE_S)
        self.relais[voisin].regler("ouvert")

    def refuser_le_courriel(self, reponse: str) -> None:
        """Le serveur de courriel refuse tout le monde, dix secondes, sans parler de l'adresse."""
        self.courrier.refus = reponse
        time.sleep(2 * FIGE_S)
        self.courrier.refus = ""

    def vider_le_courtier(self) -> None:
        """Valkey perd tout ce qu'il tenait."""
        self._parler_au_courtier("FLUSHALL")

    def remplir_le_courtier(self) -> None:
        """Valkey n'a plus de place : il refuse d'écrire, cinq secondes."""
        self._parler_au_courtier("CONFIG", "SET", "maxmemory", "1")
        time.sleep(FIGE_S)
        self._parler_au_courtier("CONFIG", "SET", "maxmemory", "256mb")

    def _parler_au_courtier(self, *mots: str) -> None:
        essayer("redis-cli", "-p", str(self.courtier), "-a", self.mdp, "--no-auth-warning", *mots)

    # --- La machine

    def remplir(self, disque: str) -> None:
        """Plus un octet de libre, cinq secondes."""
        chemin = DISQUES[disque]
        etat = os.statvfs(chemin)
        pris = (etat.f_blocks - etat.f_bfree) * etat.f_frsize
        lancer("mount", "-o", f"remount,size={pris // 1024 + 4}k", str(chemin))
        time.sleep(FIGE_S)
        lancer("mount", "-o", f"remount,size={DISQUE_MO}m", str(chemin))

    def decaler(self, unite: str, saut: str) -> None:
        """L'horloge d'un processus saute, cinq secondes, puis revient."""
        heure = HORLOGE / unite
        heure.write_text(saut)
        time.sleep(FIGE_S)
        heure.write_text("0")

    def lister(self) -> dict[str, Callable[[], None]]:
        """Toutes les pannes, par leur nom."""
        pannes: dict[str, Callable[[], None]] = {
            "PostgreSQL tué": partial(self.tuer_la_base, GRAPPE),
            "PostgreSQL relancé": self.relancer_la_base,
            "second PostgreSQL tué": partial(self.tuer_la_base, SECOND),
            "second PostgreSQL figé": self.figer_le_second,
            "connexions coupées": self.couper_les_connexions,
            "courtier vidé": self.vider_le_courtier,
            "courtier plein": self.remplir_le_courtier,
            "courriel : refus passager": partial(self.refuser_le_courriel, "451 4.7.1 revenez plus tard"),
            "courriel : liste noire": partial(self.refuser_le_courriel, "554 5.7.1 relais refuse"),
            "plateforme en avance de 50 min": partial(self.decaler_la_plateforme, 3000),
            "plateforme en retard de 2 h": partial(self.decaler_la_plateforme, -7200),
        }
        pannes |= {f"{nom} tué": partial(self.tuer, nom) for nom in (*UNITES, *VOISINS)}
        pannes |= {f"un fils de {nom} tué": partial(self.tuer_un_fils, nom) for nom in FILS}
        pannes |= {f"{nom} figé": partial(self.figer, nom) for nom in (*UNITES, *VOISINS)}
        pannes |= {f"verrou : {quoi}": partial(self.tenir, quoi) for quoi in VERROUS}
        pannes |= {f"notification {genre}": partial(self.deregler, "ipn", genre) for genre in IPN}
        pannes |= {f"REST {genre}": partial(self.deregler, "rest", genre) for genre in REST}
        pannes |= {f"disque plein : {disque}": partial(self.remplir, disque) for disque in DISQUES}
        for etat in ("coupe", "muet", "lent"):
            pannes |= {f"réseau {etat} : {nom}": partial(self.derouter, nom, etat) for nom in self.relais}
        for dit, saut in SAUTS.items():
            pannes |= {f"horloge de {unite} : {dit}": partial(self.decaler, unite, saut) for unite in DECALES}
        return pannes
