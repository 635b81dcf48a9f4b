"""
Casser la machine au hasard pendant que l'on paie : `make epreuves`. DUREE=600 secondes, GRAINE=1 d'ordinaire.

Chaque panne (`outils/essai/pannes.py`) est vraie. Les rendez-vous avec la plateforme sont vingt-cinq fois plus
proches qu'en production, sinon il faudrait vingt-cinq minutes pour voir guérir une notification perdue. À la fin, les
livres de la plateforme et les nôtres sont égaux au centime, sans une main sur l'application.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from outils.essai.bascule import SECOND
from outils.essai.conduite import DONNEES, GRAPPE, RUN, SRV, VAR, dire, essayer, exiger, lancer
from outils.essai.installation import ouvrir
from outils.essai.pannes import DECALES, DISQUE_MO, DISQUES, HORLOGE, Pannes
from outils.essai.payeurs import comparer, ecouter, lire_les_faits, payer_a_plusieurs
from outils.essai.relais import Relais
from outils.systeme import RACINE, wait_until

RELANCE_S, GUERISON_S = 2, 300
REGLAGES = """
from datetime import timedelta
from caf_remboursement.settings import *
PAIEMENT_CONTROLES = [delai / 25 for delai in PAIEMENT_CONTROLES]
VERIFICATION_RELANCES = [timedelta(seconds=5), *(delai / 25 for delai in VERIFICATION_RELANCES[1:])]
TICKET_RELANCES = [delai / 25 for delai in TICKET_RELANCES]
"""


class Epreuve(Pannes):
    """La machine, et un veilleur qui relance ce qui meurt, comme `Restart=always` et `RestartSec=2`."""

    def __init__(self, pile: ExitStack) -> None:
        super().__init__(pile)
        self.recettes: dict[str, tuple[list[str], Path, str, dict[str, str]]] = {}
        self.silences: list[float] = []
        self.fini = threading.Event()

    def installer_la_base(self) -> None:
        """Chaque disque que l'on remplira est monté d'abord ; la base y naît."""
        self.pile.callback(shutil.rmtree, DONNEES, ignore_errors=True)
        for chemin in DISQUES.values():
            compte = "postgres" if chemin in (DONNEES, DISQUES["WAL archivés"]) else "rembourser"
            chemin.mkdir(parents=True, exist_ok=True)
            lancer("mount", "-t", "tmpfs", "-o", f"size={DISQUE_MO}m,mode=0700", "rembourser", str(chemin))
            self.pile.callback(essayer, "umount", "--lazy", str(chemin))
            shutil.chown(chemin, compte, compte)
        VAR.chmod(0o755)
        super().installer_la_base()
        # Un disque de quelques gigaoctets, en mémoire : les WAL ne doivent pas le remplir d'eux-mêmes.
        Path("/etc/postgresql/15", GRAPPE, "conf.d/epreuves.conf").write_text("max_wal_size = 512MB\n")
        lancer("pg_ctlcluster", "15", GRAPPE, "reload")
        self.pile.callback(self.demonter_la_base)

    def demonter_la_base(self) -> None:
        """pg_dropcluster veut un dossier à lui, et non un système de fichiers."""
        essayer("pg_ctlcluster", "15", GRAPPE, "stop", "-m", "immediate")
        essayer("umount", str(DONNEES))
        shutil.chown(DONNEES, "postgres", "postgres")

    def regler(self) -> None:
        """Chaque voisin se joint par un relais ; l'horloge des uns peut sauter, les rendez-vous sont proches."""
        self.relais = {
            "base": Relais(self.port_base),
            "courtier": Relais(self.courtier),
            "plateforme": Relais(self.simulateur),
            "courriel": Relais(self.courrier.port),
        }
        super().regler()
        port = {nom: relais.port for nom, relais in self.relais.items()}
        # Toutes ces personnes ont ici la même adresse : nginx les prendrait pour une seule, trop pressée.
        frontal = Path("/etc/nginx/conf.d/rembourser.conf")
        frontal.write_text(frontal.read_text().replace("rate=20r/s", "rate=2000r/s"))
        HORLOGE.mkdir()
        for unite in DECALES:
            (HORLOGE / unite).write_text("0")
        lancer("cc", "-shared", "-fPIC", "-o", HORLOGE / "horloge.so", RACINE / "outils/essai/horloge.c")
        (SRV / "versions/A/epreuves_reglages.py").write_text(REGLAGES)
        self.environnement |= {
            "DATABASE_URL": f"postgresql://rembourser_service:{self.mdp_service}@127.0.0.1:{port['base']},127.0.0.1:"
            f"{Relais(self.port_second).port}/rembourser?target_session_attrs=read-write",
            "REDIS_URL": f"redis://:{self.mdp}@127.0.0.1:{port['courtier']}/0",
            "PAYZEN_URL_API": f"http://127.0.0.1:{port['plateforme']}/api-payment/V4/",
            "EMAIL_URL": f"smtp://127.0.0.1:{port['courriel']}",
            "DJANGO_SETTINGS_MODULE": "epreuves_reglages",
            "TMPDIR": str(RUN / "temporaire"),
        }

    def _lancer(self, nom: str, commande: list[str], dossier: Path, compte: str, **plus: str) -> None:
        if nom in DECALES:
            plus |= {"LD_PRELOAD": str(HORLOGE / "horloge.so"), "HORLOGE": str(HORLOGE / nom)}
        if nom == "simulateur":
            plus |= {"TMPDIR": "/tmp", "DJANGO_SETTINGS_MODULE": "simulateur_payzen.settings"}  # noqa: S108
        self.recettes[nom] = (commande, dossier, compte, plus)
        super()._lancer(nom, commande, dossier, compte, **plus)

    def veiller(self) -> None:
        """Relance chaque processus mort, les deux PostgreSQL compris."""
        while not self.fini.wait(1):
            for nom, lance in list(self.lances.items()):
                if lance.poll() is not None:
                    time.sleep(RELANCE_S)
                    commande, dossier, compte, plus = self.recettes[nom]
                    self._lancer(nom, commande, dossier, compte, **plus)
            for grappe in (GRAPPE, SECOND):
                if essayer("pg_ctlcluster", "15", grappe, "status")[0] == 3:
                    time.sleep(RELANCE_S)
                    essayer("pg_ctlcluster", "15", grappe, "start")

    def sonder_toujours(self) -> None:
        """Note combien dure chaque silence de /sante/, vu du dehors."""
        depuis: float | None = None
        while not self.fini.wait(0.25):
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

    def guerir(self) -> float:
        """Secondes jusqu'à ce qu'un paiement né après la panne soit sur sa dette."""
        debut = time.monotonic()
        avant = self.interroger("SELECT coalesce(max(id), 0) FROM paiements_paiement")
        requete = f"SELECT count(*) FROM paiements_paiement WHERE statut = 'IMPUTE' AND id > {avant}"  # noqa: S608
        exiger(wait_until(lambda: self.interroger(requete) != "0", GUERISON_S), "aucun paiement ne s'impute plus")
        return time.monotonic() - debut

    def interroger(self, sql: str) -> str:
        """Une question à la base, redemandée tant qu'elle ne répond pas."""
        lu: list[str] = []

        def lire() -> bool:
            code, texte = essayer("psql", self.proprietaire, "-At", "-c", sql)
            lu[:] = [texte.strip()]
            return code == 0

        exiger(wait_until(lire, GUERISON_S), "la base ne revient pas")
        return lu[0]


def main() -> None:
    """Installe, paie, casse au hasard le temps dit, guérit, compare."""
    duree, graine = float(os.environ.get("DUREE", "600")), int(os.environ.get("GRAINE", "1"))
    with ouvrir(Epreuve) as machine:
        machine.suivre_par_un_second()
        tenir(machine, duree, graine)


def tenir(machine: Epreuve, duree: float, graine: int) -> None:
    """Paie et casse le temps dit, puis compare ; la graine rejoue le même tirage de pannes."""
    with machine.en_veille():
        payeurs = payer_a_plusieurs(machine, 100_000, time.time() + duree)
        machine.guerir()
        debut = time.time()
        eprouver(machine, debut + duree - 30, Random(graine))  # noqa: S311 (un tirage qui se rejoue)
        faits = ecouter(payeurs)
        partis = sum(mot == "PARTI" and instant > debut for mot, instant, _ in faits)
        dire(f"débit pendant les pannes : {partis / (time.time() - debut):.2f} paiements par seconde")
        comparer(machine, faits)
        compter_ce_qui_reste(machine)
    dire(f"silences du service : {len(machine.silences)}, le plus long {max(machine.silences, default=0.0):.1f} s")


def eprouver(machine: Epreuve, fin: float, alea: Random) -> None:
    """Chaque panne une fois, dans un ordre tiré, puis de nouveau, jusqu'à l'heure."""
    guerisons: dict[str, float] = {}
    a_faire: list[str] = []
    pannes = machine.lister()
    while time.time() < fin:
        a_faire = a_faire or alea.sample(sorted(pannes), len(pannes))
        nom, silences = a_faire.pop(), len(machine.silences)
        pannes[nom]()
        guerisons[nom] = max(machine.guerir(), guerisons.get(nom, 0.0))
        silence = max(machine.silences[silences:], default=0.0)
        dire(f"{nom} : guéri en {guerisons[nom]:.1f} s ; silence {silence:.1f} s ; {len(lire_les_faits())} faits")
    pire = max(guerisons, key=lambda nom: guerisons[nom])
    dire(f"{len(guerisons)} pannes sur {len(pannes)} ; la plus longue à guérir : {pire}, {guerisons[pire]:.1f} s")


def compter_ce_qui_reste(machine: Epreuve) -> None:
    """Tickets partis, anomalies, alertes : rien n'attend une main."""
    tickets = machine.interroger("SELECT etat || ' ' || count(*) FROM paiements_ticket GROUP BY etat")
    recus = machine.courrier.recus
    doubles = {nom: quand for nom, quand in recus.items() if len(quand) > 1}
    dire(f"tickets : {tickets} ; reçus {len(recus)}, dont {len(doubles)} deux fois")
    for nom, quand in doubles.items():
        dire(f"deux fois : {nom}, {', '.join(time.strftime('%H:%M:%S', time.gmtime(q)) for q in quand)}")
    exiger(not machine.interroger("SELECT 1 FROM paiements_ticket WHERE etat <> 'ENVOYE' LIMIT 1"), "ticket perdu")
    anomalies = machine.interroger(
        "SELECT coalesce(string_agg(genre || ' ' || n, ', '), 'aucune') FROM (SELECT genre, count(*) AS n"
        " FROM paiements_anomalie WHERE etat = 'OUVERTE' GROUP BY genre) AS g"
    )
    dire(f"anomalies ouvertes : {anomalies}")


if __name__ == "__main__":
    main()
