"""
Des personnes qui paient un euro après l'autre, par les vraies pages du service et de la plateforme.

`python -m outils.essai.payeur ADRESSE CERTIFICAT MOT_DE_PASSE COMBIEN FIN IDENTIFIANT…`. Une page qui manque, une
erreur : la personne réessaie. Ne dit que des lignes : PARTI, PAYE et une référence ; REFUS et pourquoi ; l'instant.
"""

import re
import sys
import time
from html import unescape
from urllib.parse import urljoin, urlsplit

import requests

from outils.essai.conduite import CARTE

CACHES = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
PAYABLES = re.compile(r'name="(dette_\d+)"[^>]*data-montant="([\d\s\u202f\u00a0]+),\d\d"')
VERS_LA_BANQUE = re.compile(r'<form method="post" action="(http[^"]+)"')
VERS_LE_SERVICE = re.compile(r'href="([^"]*retour[^"]*)"')
ETAPES = 8
ATTENTE_S = 0.2
# Une sur quatre ferme la page de la plateforme sans revenir : seule la notification dira qu'elle a payé.
NE_REVIENT_PAS = 4


class Refus(Exception):
    """Le service n'a pas montré ce qu'il fallait : la personne réessaie."""


class PlusRienDu(Exception):
    """Cette personne n'a plus de quoi payer un euro."""


class Payeur:
    """Une personne à son navigateur."""

    def __init__(self, adresse: str, certificat: str, mot_de_passe: str) -> None:
        self.adresse, self.certificat, self.mot_de_passe = adresse, certificat, mot_de_passe
        self.web = requests.Session()
        self.payes = 0

    def ouvrir(self, methode: str, adresse: str, **champs: str) -> requests.Response:
        """Une page du service, ou `Refus`."""
        entetes = {"Referer": adresse}
        page = self.web.request(
            methode, adresse, data=champs, headers=entetes, verify=self.certificat, timeout=60, allow_redirects=True
        )
        if page.status_code != 200:
            raise Refus(f"HTTP_{page.status_code}_{urlsplit(page.url).path.split('/')[1]}")
        return page

    def entrer(self, identifiant: str) -> None:
        """Par la page de connexion, une fois pour toutes."""
        self.web = requests.Session()
        page = self.ouvrir("GET", f"{self.adresse}/connexion/")
        suite = self.ouvrir("POST", page.url, **lire_les_caches(page), login=identifiant, password=self.mot_de_passe)
        if "/connexion/" in suite.url:
            raise Refus("connexion")

    def payer(self, fin: float) -> None:
        """Une démarche d'un euro, de la première page au retour."""
        page = self.ouvrir("GET", f"{self.adresse}/rembourser/")
        for _ in range(ETAPES):
            champs = lire_les_caches(page)
            if "vads_order_id" in champs:
                self.passer_a_la_banque(page, champs, fin)
                return
            page = self.repondre(page, champs)
        raise Refus("parcours")

    def repondre(self, page: requests.Response, champs: dict[str, str]) -> requests.Response:
        """Remplit la page où l'on est."""
        if "empreinte" in champs:
            reference = page.url.rstrip("/").split("/")[-2]
            return self.ouvrir("POST", f"{self.adresse}/paiements/{reference}/payer/", **champs)
        if champs.get("etape") == "1":
            saisie = {"lu": "on", "courriel": "personne@exemple.fr", "faire": "continuer"}
            return self.ouvrir("POST", page.url, **(champs | saisie))
        if champs.get("etape") == "2":
            payables = [nom for nom, euros in PAYABLES.findall(page.text) if int(re.sub(r"\D", "", euros)) >= 2]
            if not payables:
                raise PlusRienDu
            nom = payables[self.payes % len(payables)]
            return self.ouvrir("POST", page.url, **(champs | {"mode": "AFFECTE", nom: "1,00", "faire": "continuer"}))
        if "rien à rembourser" in page.text or "deuxième fois" in page.text:
            raise PlusRienDu
        raise Refus("page")

    def passer_a_la_banque(self, page: requests.Response, champs: dict[str, str], fin: float) -> None:
        """La carte, puis le retour au service, sauf une fois sur quatre."""
        reference = champs["vads_order_id"]
        dire("PARTI", reference)
        formulaire = {nom: valeur for nom, valeur in champs.items() if nom.startswith("vads_") or nom == "signature"}
        adresse = unescape(VERS_LA_BANQUE.findall(page.text)[0])
        self.payes += 1
        banque = requests.Session()
        try:
            vue = banque.post(adresse, data=formulaire, timeout=60)
            for saisie in ({"marque": "CB"}, CARTE):
                vue = banque.post(vue.url, data=saisie, timeout=60)
            while "Paiement accepté" not in vue.text and "refresh" in str(vue.headers).lower() and time.time() < fin:
                time.sleep(1)
                vue = banque.get(vue.url, timeout=60)
        except requests.RequestException:  # la plateforme est morte pendant qu'elle payait
            raise Refus("banque") from None
        if "Paiement accepté" not in vue.text:
            raise Refus("carte")
        dire("PAYE", reference)
        if self.payes % NE_REVIENT_PAS and (lien := VERS_LE_SERVICE.search(vue.text)):
            self.web.get(urljoin(vue.url, unescape(lien[1])), verify=self.certificat, timeout=60)


def lire_les_caches(page: requests.Response) -> dict[str, str]:
    """Les champs cachés d'une page, tous formulaires confondus."""
    return {nom: unescape(valeur) for nom, valeur in CACHES.findall(page.text)}


def dire(mot: str, quoi: str) -> None:
    """Une ligne, tout de suite."""
    print(mot, time.time(), quoi, flush=True)


def main(adresse: str, certificat: str, mot_de_passe: str, combien: str, fin: str, *personnes: str) -> None:
    """Les personnes l'une après l'autre, chacune jusqu'à n'avoir plus rien à payer."""
    payeur, rang, entree = Payeur(adresse, certificat, mot_de_passe), 0, ""
    while payeur.payes < int(combien) and time.time() < float(fin) and rang < len(personnes):
        try:
            if entree != personnes[rang]:
                payeur.entrer(personnes[rang])
                entree = personnes[rang]
            payeur.payer(float(fin))
        except PlusRienDu:
            rang += 1
        except (Refus, requests.RequestException) as refus:
            dire("REFUS", str(refus) if isinstance(refus, Refus) else type(refus).__name__)
            if str(refus) in ("connexion", "page", "parcours"):
                entree = ""
            time.sleep(ATTENTE_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
