"""Les réglages de la démonstration : ses ports, ses secrets tirés une fois, l'environnement de ses processus."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outils.systeme import Empechement, find_port, is_port_free, wait_until, write_private

# La boutique PayZen de chaque Caf de démonstration.
BOUTIQUES = {"66100001": "Caf 661", "75100001": "Caf 751", "59800001": "Caf 598"}
# Plus que les contrats d'une Caf n'en auront sans doute : chaque carte d'essai du protocole doit se jouer (§7).
CARTES = ("CB", "VISA", "MASTERCARD", "AMEX", "MAESTRO")
UNE_HEURE = 3600
PORTS = {"PORT": 8000, "PORT_SIMULATEUR": 8001, "PORT_COURRIEL": 8002}


@dataclass(frozen=True)
class Ports:
    """Les ports où la démonstration écoute, sur la boucle locale seulement."""

    service: int
    simulateur: int
    courriel: int


def read_ports(environnement: Mapping[str, str]) -> Ports:
    """
    Lit PORT, PORT_SIMULATEUR et PORT_COURRIEL, et vérifie qu'ils sont libres.

    :raises Empechement: port illisible, donné deux fois, ou déjà pris par un autre programme
    """
    choisis: dict[str, int] = {}
    for nom, defaut in PORTS.items():
        valeur = environnement.get(nom) or str(defaut)
        if not valeur.isascii() or not valeur.isdigit() or not 0 < int(valeur) < 65536:
            raise Empechement(f"{nom}={valeur} n'est pas un numéro de port (1 à 65535).")
        if int(valeur) in choisis.values():
            raise Empechement(f"{nom}={valeur} : ce port est déjà donné à un autre programme de la démonstration.")
        choisis[nom] = int(valeur)
    for nom, port in choisis.items():
        # Une démonstration tuée à l'instant met une seconde à lâcher ses ports.
        if not wait_until(lambda port=port: is_port_free(port), 3):  # type: ignore[misc]
            raise Empechement(
                f"le port {port} est déjà pris par un autre programme (ou interdit à votre compte). "
                f"Fermez ce programme, ou choisissez un autre port : make demo {nom}={port + 100}"
            )
    return Ports(*choisis.values())


def read_delay(environnement: Mapping[str, str]) -> int:
    """
    Lit VERIFICATION : combien de secondes la Caf garde un paiement « enregistré » ; aucune par défaut.

    :raises Empechement: illisible, ou plus d'une heure
    """
    valeur = environnement.get("VERIFICATION") or "0"
    if not valeur.isascii() or not valeur.isdigit() or int(valeur) > UNE_HEURE:
        raise Empechement(f"VERIFICATION={valeur} n'est pas un nombre de secondes (0 à {UNE_HEURE}).")
    return int(valeur)


def get_secrets(dossier: Path) -> dict[str, Any]:
    """Les secrets de cette démonstration, tirés au premier lancement et gardés dans un fichier privé."""
    fichier = dossier / "secrets.json"
    if not fichier.exists():
        tires = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "SIMULATEUR_SECRET_KEY": secrets.token_urlsafe(50),
            "boutiques": {site: {"TEST": _draw_keys("test"), "PRODUCTION": _draw_keys("prod")} for site in BOUTIQUES},
        }
        write_private(fichier, json.dumps(tires, indent=2))
    gardes: dict[str, Any] = json.loads(fichier.read_text())
    return gardes


def _draw_keys(genre: str) -> dict[str, str]:
    return {"cle": secrets.token_hex(8), "mot_de_passe": f"{genre}password_{secrets.token_urlsafe(24)}"}


def build_environment(dossier: Path, ports: Ports, services: Mapping[str, str]) -> dict[str, str]:
    """
    L'environnement des processus. Ce que la personne a donné dans le sien n'est pas remplacé.

    :param services: DATABASE_URL, REDIS_URL, EMAIL_URL, tels que démarrés ou reçus
    """
    tires = get_secrets(dossier)
    test = {site: {"TEST": cles["TEST"]} for site, cles in tires["boutiques"].items()}
    simulateur = f"http://127.0.0.1:{ports.simulateur}"
    defauts = {
        "SECRET_KEY": tires["SECRET_KEY"],
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "SERVEURS_FRONTAUX": "0",
        "ADRESSE_PUBLIQUE": f"http://127.0.0.1:{ports.service}",
        "IMPORT_REJETS": str(dossier / "rejets"),
        "PAYZEN_MODE": "TEST",
        "PAYZEN_URL_FORMULAIRE": f"{simulateur}/vads-payment/",
        "PAYZEN_URL_API": f"{simulateur}/api-payment/V4/",
        "PAYZEN_BOUTIQUES": json.dumps(test),
        "PAYZEN_CARTES": ";".join(CARTES),
        "SIMULATEUR_MARQUES": ",".join(CARTES),
        "SIMULATEUR_SECRET_KEY": tires["SIMULATEUR_SECRET_KEY"],
        "SIMULATEUR_BASE": str(dossier / "simulateur.sqlite3"),
        "SIMULATEUR_JOURNAUX": str(dossier / "journaux-payzen"),
        "SIMULATEUR_FORMATION": "oui",
        "SIMULATEUR_REGLES": "fin,annulation,refus_tentative,bo,batch",
    }
    # Une démonstration se montre comme le vrai service : sans page de débogage, et sans https sur la boucle locale.
    imposes = {"DEBUG": "false", "HTTPS": "false", "PYTHONUNBUFFERED": "1", **services}
    imposes["VERIFICATION"] = str(read_delay(os.environ))
    # Les mêmes réglages, et la galerie des composants.
    imposes["DJANGO_SETTINGS_MODULE"] = "outils.reglages"
    environnement = {**defauts, **os.environ, **imposes}
    environnement.setdefault("SIMULATEUR_BOUTIQUES", _describe_shops(environnement, tires["boutiques"], ports.service))
    return environnement


def _describe_shops(environnement: Mapping[str, str], tirees: Mapping[str, Any], port: int) -> str:
    """Les boutiques du simulateur : les mêmes clés de test que le service, sans quoi aucune signature n'irait."""
    fichier = environnement.get("PAYZEN_BOUTIQUES_FICHIER")
    donnees = Path(fichier).read_text() if fichier else environnement["PAYZEN_BOUTIQUES"]
    boutiques = {}
    for site, cles in json.loads(donnees).items():
        test, production = cles.get("TEST"), tirees.get(site, {}).get("PRODUCTION") or _draw_keys("prod")
        if test:
            boutiques[site] = {
                "nom": BOUTIQUES.get(site, f"Boutique {site}"),
                "cle_test": test["cle"],
                "mot_de_passe_test": test["mot_de_passe"],
                "cle_production": production["cle"],
                "mot_de_passe_production": production["mot_de_passe"],
                "url_notification": f"http://127.0.0.1:{port}/paiements/payzen/notification",
            }
    return json.dumps(boutiques)


def draw_smtp_port(ports: Ports) -> int:
    """Un port libre pour la réception des courriels, autre que ceux qui ont été choisis."""
    while (port := find_port()) in (ports.service, ports.simulateur, ports.courriel):
        pass
    return port
