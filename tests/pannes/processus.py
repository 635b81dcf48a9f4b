"""Le service en vrais processus, que l'on tue et relance un à un."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg
import redis
import requests

from outils import postgres
from outils.demo_reglages import Ports, build_environment
from outils.processus import Equipe
from outils.systeme import RACINE, remove_tree, wait_until
from outils.valkey import _find_binary as trouver_valkey
from tests.ports import tirer_des_ports
from tests.simulateur_payzen.plateforme import Payeur

CARTE = "4970100000000055"
PAYEUR = "6610000355"  # trente dettes : de quoi payer souvent un euro
# Ce que les tests donnent à leurs propres réglages ne doit pas passer aux processus.
GARDEES = ("PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV")
PREPARER_LES_PAIEMENTS = """
import json
from decimal import Decimal
from comptes.models import Utilisateur
from demarches import services as demarches
from demarches.recapitulatif import lire_le_recapitulatif
from paiements.depart import payer
personne, departs = Utilisateur.objects.get(identifiant="{identifiant}"), []
dettes = [dette for dette in demarches.get_dettes_de(personne.allocataire) if dette.disponible >= 2]
for rang in range({combien}):
    demarche = demarches.enregistrer_informations(demarches.commencer(personne), courriel="{courriel}")
    demarche = demarches.enregistrer_montants(demarche, {{dettes[rang].pk: Decimal("1.00")}})
    montre = lire_le_recapitulatif(demarche, demarches.get_dettes(demarche))
    depart = payer(demarche, empreinte_vue=montre.empreinte)
    departs.append([depart.paiement.reference, depart.adresse, depart.champs])
print("DEPARTS" + json.dumps(departs))
"""


class Courtier:
    """Valkey à une adresse fixe : arrêté puis relancé, il revient vide, là où on l'attend."""

    def __init__(self, dossier: Path, port: int) -> None:
        # En hexadécimal : donné à la ligne de commande, il ne peut pas se lire comme une option.
        self.dossier, self.port, self.secret = dossier, port, secrets.token_hex(16)
        self.url = f"redis://:{self.secret}@127.0.0.1:{self.port}/0"
        dossier.mkdir()

    def lancer(self) -> None:
        """Démarre, en mémoire seulement."""
        options = {"bind": "127.0.0.1", "port": self.port, "requirepass": self.secret, "dir": self.dossier, "save": ""}
        with (self.dossier / "journal").open("wb") as journal:
            self.processus = subprocess.Popen(
                [trouver_valkey(), *(mot for nom, valeur in options.items() for mot in (f"--{nom}", str(valeur)))],
                stdout=journal,
                stderr=journal,
            )
        attendre(lambda: b"Ready to accept" in (self.dossier / "journal").read_bytes(), 120, "le courtier")

    def arreter(self) -> None:
        """Tue : tout ce qu'il tenait est perdu."""
        self.processus.kill()
        self.processus.wait()

    def vider(self) -> None:
        """FLUSHALL."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class Machine:
    """Tous les processus, et la main sur chacun."""

    def __init__(self) -> None:
        self.dossier = Path(tempfile.mkdtemp(prefix="rembourser-pannes-"))
        self.dossier.chmod(0o711)  # le compte de PostgreSQL n'est pas toujours le nôtre
        *pages, self.smtp, courtier = tirer_des_ports(5)
        self.ports, self.courtier = Ports(*pages), Courtier(self.dossier / "courtier", courtier)
        python = [sys.executable, "-m"]
        celery = [*python, "celery", "-A", "caf_remboursement"]
        ecoute = ["--bind", f"127.0.0.1:{self.ports.service}", "--workers", "2", "--threads", "4"]
        courriels = ["--smtp", str(self.smtp), "--port", str(self.ports.courriel)]
        self.commandes = {
            "site": [*python, "gunicorn", "caf_remboursement.wsgi", *ecoute, "--no-control-socket"],
            "ouvrier": [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING"],
            "calendrier": [*celery, "beat", "--schedule", str(self.dossier / "calendrier"), "--pidfile", ""],
            "payzen": [*python, "simulateur_payzen", "serveur", "--port", str(self.ports.simulateur)],
            "courriels": [*python, "outils.courriels", *courriels, "--dossier", str(self.dossier / "courriels")],
        }

    def demarrer(self) -> None:
        """Prépare les données d'exemple et lance tout."""
        self.base = postgres.start(self.dossier / "base", durable=True)
        self.courtier.lancer()
        services = {
            "DATABASE_URL": self.base,
            "REDIS_URL": self.courtier.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.smtp}",
        }
        environnement = build_environment(self.dossier, self.ports, services)
        self.equipe = Equipe(self.dossier / "journaux", environnement, RACINE)
        preparation = [sys.executable, "-m", "outils.preparation", "--comptes", self.dossier / "comptes.json"]
        assert self.equipe.run("preparation", preparation), self.equipe.get_log("preparation").read_text()
        for nom in self.commandes:
            self.lancer(nom)

    def lancer(self, nom: str) -> None:
        """Lance un processus ; celui qui a une page est attendu."""
        self.equipe.start(nom, self.commandes[nom])
        pages = {
            "site": self.ports.service,
            "payzen": self.ports.simulateur,
            "courriels": self.ports.courriel,
        }
        if nom in pages:
            attendre(lambda: repond(f"http://127.0.0.1:{pages[nom]}/sante/"), 120, f"« {nom} »")

    def tuer(self, nom: str) -> None:
        """kill -9, enfants compris."""
        lance = self.equipe.processus.pop(nom)
        os.killpg(lance.pid, signal.SIGKILL)
        lance.wait()

    def tuer_la_base(self) -> None:
        """L'arrêt brutal de PostgreSQL (« immediate ») : rien n'est écrit, les connexions tombent."""
        pid = postgres._locate(self.dossier / "base").pid
        assert pid
        os.kill(pid, signal.SIGQUIT)
        attendre(lambda: postgres._locate(self.dossier / "base").pid is None, 120, "la base arrêtée")

    def relancer_la_base(self) -> None:
        """Redémarre PostgreSQL sur les mêmes données, à la même adresse."""
        assert postgres.start(self.dossier / "base", durable=True) == self.base

    def effacer(self) -> None:
        """Arrête tout et n'en laisse rien."""
        self.equipe.stop()
        self.courtier.arreter()
        postgres.erase(self.dossier / "base")
        remove_tree(self.dossier)

    # --- Agir

    def gerer(self, *commande: str) -> str:
        """Passe une commande de gestion ; rend ce qu'elle imprime."""
        faite = subprocess.run(
            [sys.executable, "manage.py", *commande],
            cwd=RACINE,
            env=self.equipe.environnement,
            check=False,
            capture_output=True,
            text=True,
        )
        assert faite.returncode == 0, faite.stdout + faite.stderr
        return faite.stdout

    def preparer_des_paiements(self, combien: int, courriel: str = "") -> dict[str, Payeur]:
        """Des allocataires arrivés chez PayZen, un euro chacun, prêts à donner leur carte ; par référence."""
        script = PREPARER_LES_PAIEMENTS.format(identifiant=PAYEUR, combien=combien, courriel=courriel)
        departs = json.loads(self.gerer("shell", "--verbosity", "0", "-c", script).partition("DEPARTS")[2])
        payeurs = {}
        for reference, adresse, champs in departs:
            web = requests.Session()
            payeurs[reference] = Payeur(web.post(adresse, data=champs, timeout=20), web).poster(marque="CB")
        return payeurs

    def payer(self, combien: int, courriel: str = "") -> list[str]:
        """Autant de paiements acceptés par la banque ; rend leurs références."""
        payeurs = self.preparer_des_paiements(combien, courriel)
        for payeur in payeurs.values():
            payeur.carte(CARTE)
        return list(payeurs)

    def regler(self, pannes: dict[str, Any] | None = None, **reglages: Any) -> None:
        """Change les pannes ou les réglages du simulateur."""
        adresse = f"http://127.0.0.1:{self.ports.simulateur}/controle/"
        requests.post(adresse, json={"pannes": pannes or {}, "reglages": reglages}, timeout=20).raise_for_status()

    def avancer_les_tickets(self) -> None:
        """L'heure du prochain essai est venue : la minute d'attente ne se joue pas."""
        with psycopg.connect(self.base, autocommit=True) as connexion:
            connexion.execute("UPDATE paiements_ticket SET prochain_essai_le = now() WHERE etat = 'A_ENVOYER'")

    # --- Constater

    def lire(self, requete: str, *valeurs: Any) -> list[tuple[Any, ...]]:
        """Lit la base, sans passer par le service."""
        with psycopg.connect(self.base, autocommit=True) as connexion:
            return connexion.execute(requete, valeurs).fetchall()

    def get_statuts(self, references: Iterable[str]) -> set[str]:
        """Les statuts de ces paiements."""
        requete = "SELECT DISTINCT statut FROM paiements_paiement WHERE reference = ANY(%s)"
        return {statut for (statut,) in self.lire(requete, list(references))}

    def get_codes(self, reference: str) -> list[int | None]:
        """Ce que le service a répondu à chaque notification d'un paiement, dans l'ordre."""
        adresse = f"http://127.0.0.1:{self.ports.simulateur}/controle/appels/"
        appels = requests.get(adresse, params={"order_id": reference}, timeout=20).json()["appels"]
        return [appel["code"] for appel in appels]

    def attendre_l_imputation(self, references: Iterable[str], secondes: float) -> float:
        """Attend que tous soient imputés ; rend le temps que cela a pris."""
        debut, references = time.monotonic(), list(references)
        attendre(lambda: self.get_statuts(references) == {"IMPUTE"}, secondes, f"imputés : {references}")
        return time.monotonic() - debut

    def verifier(self, references: Iterable[str]) -> None:
        """Un euro porté une seule fois par paiement, et aucun invariant violé."""
        portes = self.lire(
            "SELECT p.reference, count(*), sum(i.montant) FROM paiements_imputation i"
            " JOIN paiements_paiement p ON p.id = i.paiement_id WHERE p.reference = ANY(%s) GROUP BY 1",
            list(references),
        )
        assert {reference: (fois, somme) for reference, fois, somme in portes} == dict.fromkeys(references, (1, 1))
        self.gerer("verifier_invariants")


def repond(adresse: str) -> bool:
    """Vrai si une page de santé répond 200."""
    try:
        return requests.get(adresse, timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


def attendre(condition: Callable[[], bool], secondes: float, motif: str) -> None:
    """Attend qu'une condition soit vraie ; échoue en disant ce qui n'est pas venu."""
    assert wait_until(condition, secondes), f"toujours pas, après {secondes} s : {motif}"
