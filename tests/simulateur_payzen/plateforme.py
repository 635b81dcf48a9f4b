"""
Les acteurs des tests du simulateur : la boutique qui reçoit les IPN, le payeur qui suit les pages, la plateforme.

Rien ici ne demande la base du projet : tout passe par HTTP.
"""

import base64
import hmac
import html
import itertools
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import requests

RACINE = Path(__file__).resolve().parents[2]
SITE = "12345678"
PATIENCE = 120  # secondes : une machine chargée est lente, et ce n'est pas une panne
CLES = {"TEST": "1122334455667788", "PRODUCTION": "8877665544332211"}
MOTS_DE_PASSE = {"TEST": "testpassword_essai", "PRODUCTION": "prodpassword_essai"}
compteur = itertools.count(1)


def lire(url: str, **suite: Any) -> requests.Response:
    """GET, sans attendre plus de vingt secondes."""
    return requests.get(url, timeout=20, **suite)


def poster(url: str, **suite: Any) -> requests.Response:
    """POST, sans attendre plus de vingt secondes."""
    return requests.post(url, timeout=20, **suite)


def trouver_port() -> int:
    """Un port libre, sous ceux que le système donne aux clients."""
    for port in random.sample(range(20_000, 32_000), 50):
        with socket.socket() as prise:
            prise.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if prise.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("aucun port libre")


def sign(champs: dict[str, str], mode: str = "TEST") -> str:
    """Signature écrite à plat, pour ne pas croire celle du simulateur sur parole."""
    cle = CLES[mode]
    message = "+".join([champs[nom] for nom in sorted(champs) if nom.startswith("vads_")] + [cle])
    return base64.b64encode(hmac.digest(cle.encode(), message.encode(), "sha256")).decode()


@dataclass
class Recue:
    """Une notification reçue par la boutique."""

    corps: str
    heure: float

    @property
    def champs(self) -> dict[str, str]:
        """Ses champs décodés."""
        return dict(parse_qsl(self.corps, keep_blank_values=True))

    @property
    def is_signee(self) -> bool:
        """Vrai si la clé de son mode l'a signée."""
        champs = self.champs
        return champs.pop("signature") == sign(champs, champs["vads_ctx_mode"])


@dataclass
class Marchand:
    """La boutique : elle note ce qu'elle reçoit et répond ce qu'on lui dit."""

    url: str
    recues: list[Recue] = field(default_factory=list)
    visites: list[str] = field(default_factory=list)
    code: int = 200
    lenteur_s: float = 0

    def vider(self) -> None:
        """Redevient une boutique neuve qui répond 200."""
        self.recues.clear()
        self.visites.clear()
        self.code, self.lenteur_s = 200, 0

    def attendre(self, nombre: int, delai_s: float = PATIENCE) -> list[Recue]:
        """Attend un nombre de notifications."""
        attendre(lambda: len(self.recues) >= nombre, delai_s)
        return self.recues

    @property
    def statuts(self) -> list[str]:
        """Les statuts annoncés, dans l'ordre d'arrivée."""
        return [recue.champs["vads_trans_status"] for recue in self.recues]


def attendre(condition: Any, delai_s: float = PATIENCE) -> None:
    """Attend qu'une condition devienne vraie."""
    fin = time.monotonic() + delai_s
    while not condition():
        assert time.monotonic() < fin, "toujours pas vrai"
        time.sleep(0.02)


class Payeur:
    """Un navigateur sans JavaScript, sur la page de paiement."""

    def __init__(self, depart: requests.Response, web: requests.Session) -> None:
        self.web, self.page = web, depart
        self.url = depart.url

    @property
    def titre(self) -> str:
        """Le titre de la page, en clair."""
        return html.unescape(re.search(r"<h1[^>]*>(.*?)</h1>", self.page.text, re.DOTALL)[1])

    def poster(self, **donnees: str) -> "Payeur":
        """Envoie le formulaire de la page."""
        self.page = self.web.post(self.url, data=donnees)
        return self

    def carte(self, numero: str, **autres: str) -> "Payeur":
        """Saisit une carte, valable dans deux ans."""
        annee = str(datetime.now(UTC).year + 2)
        return self.poster(**{"numero": numero, "mois": "12", "annee": annee, "cryptogramme": "123", **autres})

    def lire_sms(self) -> str:
        """Le code que la banque a envoyé."""
        return re.search(r'id="code-attendu">(\d{6})<', self.page.text)[1]

    def code(self, code: str = "") -> "Payeur":
        """Donne le code de la banque, le bon par défaut."""
        return self.poster(code=code or self.lire_sms(), geste="valider")

    def annuler(self) -> requests.Response:
        """Clique sur « Annuler et retourner à la boutique » ; rend la redirection vers la boutique."""
        depart = self.web.post(f"{self.url}annuler/", allow_redirects=False)
        return self.web.get(requests.compat.urljoin(self.url, depart.headers["Location"]), allow_redirects=False)

    def repartir(self) -> requests.Response:
        """Clique sur « Retourner à la boutique »."""
        return self.web.get(f"{self.url}retour/", allow_redirects=False)


class Simulateur:
    """La plateforme, vue par HTTP."""

    def __init__(self, base: str, marchand: Marchand, dossier: Path) -> None:
        self.base, self.marchand, self.dossier = base, marchand, dossier

    def composer(self, **changements: str | None) -> dict[str, str]:
        """Un formulaire signé ; `None` ôte un champ. Les noms vont sans `vads_`."""
        mode = changements.get("ctx_mode") or "TEST"
        champs = {
            "action_mode": "INTERACTIVE",
            "amount": "4525",
            "capture_delay": "0",
            "ctx_mode": "TEST",
            "currency": "978",
            "order_id": f"DETTE-{next(compteur)}",
            "page_action": "PAYMENT",
            "payment_cards": "CB",
            "payment_config": "SINGLE",
            "site_id": SITE,
            "trans_date": datetime.now(UTC).strftime("%Y%m%d%H%M%S"),
            "trans_id": f"{next(compteur):06d}",
            "url_return": f"{self.marchand.url}retour/",
            "validation_mode": "0",
            "version": "V2",
            **changements,
        }
        signes = {f"vads_{nom}": valeur for nom, valeur in champs.items() if valeur is not None}
        return {**signes, "signature": sign(signes, mode if mode in CLES else "TEST")}

    def envoyer(self, champs: dict[str, str]) -> requests.Response:
        """Poste un formulaire."""
        return poster(f"{self.base}/vads-payment/", data=champs)

    def ouvrir(self, **changements: str | None) -> Payeur:
        """Ouvre une session de paiement acceptée."""
        web = requests.Session()
        page = web.post(f"{self.base}/vads-payment/", data=self.composer(**changements))
        assert page.status_code == 200, page.text
        return Payeur(page, web)

    def payer(self, numero: str = "4970100000000055", **changements: str | None) -> dict[str, Any]:
        """Un paiement de bout en bout ; rend sa transaction."""
        order_id = f"DETTE-{next(compteur)}"
        self.ouvrir(order_id=order_id, **changements).carte(numero)
        return self.transactions(order_id)[0]

    def regler(self, pannes: dict[str, Any] | None = None, **reglages: Any) -> None:
        """Change des réglages ou des pannes."""
        reponse = poster(f"{self.base}/controle/", json={"reglages": reglages, "pannes": pannes or {}})
        assert reponse.status_code == 200, reponse.text

    def transactions(self, order_id: str = "") -> list[dict[str, Any]]:
        """Les transactions d'une commande, la plus récente d'abord."""
        reponse = lire(f"{self.base}/controle/transactions/", params={"order_id": order_id})
        return reponse.json()["transactions"]

    def appels(self, **filtres: str) -> list[dict[str, Any]]:
        """Les appels à la boutique, du premier au dernier."""
        return lire(f"{self.base}/controle/appels/", params=filtres).json()["appels"]

    def courriels(self) -> list[str]:
        """Les objets des courriels au marchand."""
        return [c["objet"] for c in lire(f"{self.base}/controle/courriels/").json()["courriels"]]

    def faire(self, uuid: str, geste: str, **corps: Any) -> requests.Response:
        """Un geste du Back Office, par la page de contrôle."""
        return poster(f"{self.base}/controle/transactions/{uuid}/{geste}/", json=corps)

    def rest(self, service: str, demande: Any = None, mode: str = "TEST") -> dict[str, Any]:
        """Un appel à l'API, réponse entière."""
        url = f"{self.base}/api-payment/V4/{service}"
        reponse = poster(url, json=demande, auth=(SITE, MOTS_DE_PASSE[mode]))
        assert reponse.status_code == 200
        return reponse.json()


def get_environnement(dossier: Path, url: str) -> dict[str, str]:
    """L'environnement d'un simulateur d'essai."""
    boutique = {
        "nom": "Caf d'essai",
        "cle_test": CLES["TEST"],
        "cle_production": CLES["PRODUCTION"],
        "mot_de_passe_test": MOTS_DE_PASSE["TEST"],
        "mot_de_passe_production": MOTS_DE_PASSE["PRODUCTION"],
        "url_notification": f"{url}ipn/",
    }
    propres = {nom: valeur for nom, valeur in os.environ.items() if not nom.startswith("SIMULATEUR_")}
    return {
        **propres,
        "DEBUG": "oui",
        "SIMULATEUR_SECRET_KEY": "secret-d-essai",
        "SIMULATEUR_BASE": str(dossier / "plateforme.sqlite3"),
        "SIMULATEUR_BOUTIQUES": json.dumps({SITE: boutique}),
        "SIMULATEUR_REMISE_AUTO": "non",
        "SIMULATEUR_JOURNAUX": str(dossier / "journaux"),
    }


def lancer(environnement: dict[str, str], *arguments: str, sortie: Any = None) -> subprocess.Popen[bytes]:
    """Lance le simulateur dans son processus."""
    commande = [sys.executable, "-m", "simulateur_payzen", *arguments]
    return subprocess.Popen(commande, cwd=RACINE, env=environnement, stdout=sortie, stderr=subprocess.STDOUT)


def is_pret(base: str, processus: subprocess.Popen[bytes]) -> bool:
    """Vrai quand la page de santé répond."""
    assert processus.poll() is None, "le simulateur s'est arrêté"
    try:
        return lire(f"{base}/sante/").json() == {"etat": "pret"}
    except requests.ConnectionError:
        return False
