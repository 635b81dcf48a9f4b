"""Une vraie démonstration, lancée comme le ferait une personne : `python -m outils.demo`."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import redis
import requests

from outils import postgres
from outils.demo_reglages import get_secrets
from outils.systeme import remove_tree, wait_until
from tests.connexion import calculer_code
from tests.ports import tirer_des_ports

RACINE = Path(__file__).resolve().parents[2]
REDIS = "REDIS_URL="
UN_JOUR = 86_400  # secondes
DELAI_DE_DEPART = 600  # secondes : ne borne qu'un échec, même sur une machine très chargée
# Rien des réglages des tests (base, courtier, boutiques) ne doit passer à la démonstration.
GARDEES = ("PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV")


class Demonstration:
    """Le service entier, dans ses processus : ses adresses, ses comptes, et la main sur le simulateur."""

    def __init__(self) -> None:
        self.dossier = Path(tempfile.mkdtemp(prefix="rembourser-navigateur-"))
        self.journal = self.dossier / "demo.log"
        self.acces: dict[str, Any] = {}
        self.codes_donnes: set[tuple[str, str]] = set()

    def lancer(self, **variables: str) -> None:
        """Lance tout, avec ces variables, et attend « Prêt » ; échoue avec ce que la démonstration a dit."""
        environnement = {nom: os.environ[nom] for nom in GARDEES if nom in os.environ}
        noms = ("PORT", "PORT_SIMULATEUR", "PORT_COURRIEL")
        environnement |= {nom: str(port) for nom, port in zip(noms, tirer_des_ports(3), strict=True)}
        with self.journal.open("wb") as sortie:
            self.processus = subprocess.Popen(
                [sys.executable, "-m", "outils.demo"],
                cwd=RACINE,
                env=environnement | variables | {"DEMO_DOSSIER": str(self.dossier), "PYTHONUNBUFFERED": "1"},
                stdout=sortie,
                stderr=sortie,
            )
        wait_until(lambda: self.processus.poll() is not None or "Prêt :" in self.lire_le_journal(), DELAI_DE_DEPART)
        assert "Prêt :" in self.lire_le_journal(), self.lire_le_journal()
        self.acces = json.loads((self.dossier / "acces.json").read_text())
        # Ni session oubliée qui expire, ni remise du soir : rien n'arrive du simulateur que l'essai n'ait demandé.
        self.regler(session_s=UN_JOUR, remise_auto=False)

    def get_base(self) -> str:
        """L'adresse de sa base, qui tourne déjà."""
        return postgres.start(self.dossier / "base", durable=True)

    def gerer(self, *commande: str) -> str:
        """Passe une commande de gestion sur la base de la démonstration ; rend ce qu'elle imprime."""
        environnement = {nom: os.environ[nom] for nom in GARDEES if nom in os.environ} | {
            "DATABASE_URL": self.get_base(),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "SECRET_KEY": get_secrets(self.dossier)["SECRET_KEY"],
            "PAYZEN_MODE": "TEST",
        }
        faite = subprocess.run(
            [sys.executable, "manage.py", *commande],
            cwd=RACINE,
            env=environnement,
            check=False,
            capture_output=True,
            text=True,
        )
        assert faite.returncode == 0, faite.stdout + faite.stderr
        return faite.stdout

    def arreter(self) -> tuple[int, list[str]]:
        """Arrête par SIGTERM ; rend le code de sortie et les commandes des processus qui ont survécu."""
        self.processus.send_signal(signal.SIGTERM)
        code = self.processus.wait(60)
        return code, self.trouver_les_survivants()

    def effacer(self) -> None:
        """Tue ce qui resterait, et efface tout ce qui a été écrit."""
        if self.processus.poll() is None:
            self.processus.kill()
            self.processus.wait()
        postgres.erase(self.dossier / "base")
        remove_tree(self.dossier)

    def lire_le_journal(self) -> str:
        """Ce que la démonstration a imprimé."""
        return self.journal.read_text(errors="replace")

    def oublier_les_bornes(self) -> None:
        """Aucun essai n'hérite des demandes comptées par un autre, comme le cache vidé des autres tests."""
        marque = b"DEMO_DOSSIER=" + os.fsencode(self.dossier)
        environnements = (lire(processus / "environ").split(b"\0") for processus in Path("/proc").glob("[0-9]*"))
        siens = (os.fsdecode(v) for environnement in environnements if marque in environnement for v in environnement)
        adresse = next(valeur for valeur in siens if valeur.startswith(REDIS)).removeprefix(REDIS)
        with redis.Redis.from_url(adresse) as courtier:
            for cle in courtier.scan_iter("*allauth:rl:*"):
                courtier.delete(cle)

    def trouver_les_survivants(self) -> list[str]:
        """Les processus dont la commande ou l'environnement porte notre dossier."""
        marque = os.fsencode(self.dossier)
        return [
            lire(processus / "cmdline").replace(b"\0", b" ").decode(errors="replace")
            for processus in Path("/proc").glob("[0-9]*")
            if marque in lire(processus / "cmdline") + lire(processus / "environ")
        ]

    def get_adresse(self, nom: str, chemin: str = "") -> str:
        """L'adresse d'une page de l'un des sites : service, simulateur, courriels."""
        return urljoin(self.acces["adresses"][nom], f"/{chemin}")

    def get_compte(self, role: str) -> dict[str, str]:
        """Le compte d'essai qui a ce rôle : identifiant, mot_de_passe, et secret_totp pour un agent."""
        return next(compte for compte in self.acces["comptes"] if compte["role"] == role)

    def prendre_un_code(self, role: str) -> str:
        """Un code du téléphone de cet agent, que personne n'a encore donné : aucun ne sert deux fois."""
        secret = self.get_compte(role)["secret_totp"]

        def list_neufs() -> list[str]:
            # Le suivant d'abord : il vaut déjà, et vaudra encore après une page lente.
            codes = [calculer_code(secret, decalage) for decalage in (1, 0)]
            return [code for code in codes if (role, code) not in self.codes_donnes]

        wait_until(lambda: bool(list_neufs()), 120)
        code = list_neufs()[0]
        self.codes_donnes.add((role, code))
        return code

    def regler(self, pannes: dict[str, Any] | None = None, **reglages: Any) -> None:
        """Change les pannes ou les réglages du simulateur."""
        adresse = self.get_adresse("simulateur", "controle/")
        requests.post(adresse, json={"pannes": pannes or {}, "reglages": reglages}, timeout=20).raise_for_status()

    def lister_transactions(self, reference: str) -> list[dict[str, Any]]:
        """Ce que le simulateur a fait d'un paiement."""
        adresse = self.get_adresse("simulateur", "controle/transactions/")
        transactions: list[dict[str, Any]] = requests.get(adresse, params={"order_id": reference}, timeout=20).json()[
            "transactions"
        ]
        return transactions

    def remettre(self, reference: str) -> str:
        """Au Back Office du simulateur : remet en banque le débit d'un paiement, comme la nuit ; rend son uuid."""
        uuid: str = next(t["uuid"] for t in self.lister_transactions(reference) if t["statut"] == "AUTHORISED")
        self._faire_au_back_office(uuid, "remettre", {})
        return uuid

    def annuler(self, reference: str) -> None:
        """Au Back Office du simulateur : annule le débit d'un paiement, avant sa remise."""
        uuid = next(t["uuid"] for t in self.lister_transactions(reference) if t["statut"] == "AUTHORISED")
        self._faire_au_back_office(uuid, "annuler", {})

    def rembourser(self, reference: str, *, centimes: int) -> None:
        """Au Back Office du simulateur : remet en banque le débit d'un paiement, puis en rend une part."""
        self._faire_au_back_office(self.remettre(reference), "rembourser", {"montant": centimes})

    def _faire_au_back_office(self, uuid: str, geste: str, corps: dict[str, Any]) -> None:
        adresse = self.get_adresse("simulateur", f"controle/transactions/{uuid}/{geste}/")
        requests.post(adresse, json=corps, timeout=20).raise_for_status()


def lancer_une_demonstration(**variables: str) -> Demonstration:
    """Une démonstration prête ; une machine débordée a droit à un second départ."""
    demonstration = Demonstration()
    try:
        demonstration.lancer(**variables)
    except AssertionError:
        demonstration.effacer()
        demonstration = Demonstration()
        try:
            demonstration.lancer(**variables)
        except AssertionError as dit:
            demonstration.effacer()
            pytest.fail(
                f"La démonstration ne démarre pas : ces essais ne disent rien des pages.\n{dit}", pytrace=False
            )
    return demonstration


def lire(fichier: Path) -> bytes:
    """Le contenu d'un fichier de /proc ; vide si le processus vient de finir ou n'est pas à nous."""
    try:
        return fichier.read_bytes()
    except OSError:
        return b""


def attendre(condition: Callable[[], Any], secondes: float, motif: str) -> None:
    """Attend qu'une condition soit vraie ; échoue en disant ce qui n'est pas venu."""
    limite = time.monotonic() + secondes
    while not condition():
        assert time.monotonic() < limite, f"toujours pas, après {secondes} s : {motif}"
        time.sleep(0.3)
