"""Une plateforme pour essayer un marchand : ce qui n'est pas donné se tire au sort une fois, et se garde."""

import json
import os
import secrets
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

BOUTIQUE = "12345678"


def preparer(dossier: Path, environnement: MutableMapping[str, str]) -> None:
    """
    Complète l'environnement de ce qui manque pour servir.

    Les clés tirées au sort vivent dans `dossier/acces.json`, lisible de son seul propriétaire.
    `SIMULATEUR_BOUTIQUES`, s'il est donné, l'emporte : ce sont alors les clés du marchand.
    """
    dossier.mkdir(parents=True, exist_ok=True)
    tires = _tirer_une_fois(dossier / "acces.json")
    environnement.setdefault("SIMULATEUR_FORMATION", "oui")
    environnement.setdefault("SIMULATEUR_SECRET_KEY", tires["secret"])
    environnement.setdefault("SIMULATEUR_BASE", str(dossier / "simulateur.sqlite3"))
    environnement.setdefault("SIMULATEUR_JOURNAUX", str(dossier / "journaux"))
    environnement.setdefault("SIMULATEUR_BOUTIQUES", json.dumps(tires["boutiques"]))


def dire(boutiques: dict[str, dict[str, str]], racine: str) -> str:
    """Rend, pour le terminal, les adresses à donner au marchand et les clés de chaque boutique."""
    lignes = [
        "La plateforme de paiement simulée. Ctrl-C l'arrête ; ses données restent.",
        f"  formulaire de paiement   {racine}/vads-payment/",
        f"  API REST                 {racine}/api-payment/V4/",
        f"  Back Office, pannes      {racine}/vads-merchant/",
    ]
    for site_id, boutique in boutiques.items():
        cle, mot_de_passe = boutique["cle_test"], boutique["mot_de_passe_test"]
        lignes += [
            f"Boutique {site_id}, mode TEST : clé {cle}, mot de passe {mot_de_passe}",
            f"  adresse de notification, marques, pannes : {racine}/vads-merchant/reglages/{site_id}/",
        ]
    return "\n".join(lignes)


def _tirer_une_fois(fichier: Path) -> dict[str, Any]:
    if not fichier.exists():
        boutique = {
            "nom": "Boutique d'essai",
            "cle_test": secrets.token_urlsafe(12),
            "cle_production": secrets.token_urlsafe(12),
            "mot_de_passe_test": f"testpassword_{secrets.token_urlsafe(24)}",
            "mot_de_passe_production": f"prodpassword_{secrets.token_urlsafe(24)}",
        }
        contenu = {"secret": secrets.token_urlsafe(50), "boutiques": {BOUTIQUE: boutique}}
        with os.fdopen(os.open(fichier, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sortie:
            json.dump(contenu, sortie, indent=2)
    tires: dict[str, Any] = json.loads(fichier.read_text())
    return tires
