"""Le manifeste d'une livraison : ce que la Caf annonce, contrôlé avant de lire la moindre dette (FICHIERS §2)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from dettes.models import FichierRecu

VERSIONS = (1, 2)
PARIS = ZoneInfo("Europe/Paris")
NOM = "manifeste.json"
ALLOCATAIRES = "allocataires.csv"
DETTES = "dettes.csv"
ENTIER_MAX = 2_147_483_647  # ce que tient une colonne entière de la base

T = TypeVar("T", int, str, list[Any])


class LivraisonRefusee(Exception):
    """La livraison entière est refusée et rien n'est écrit ; le message dit pourquoi, et quoi faire."""


@dataclass(frozen=True)
class FichierAnnonce:
    """Un fichier de la livraison ; `somme_soldes` en centimes, pour les dettes seulement."""

    chemin: Path
    lignes: int
    sha256: str
    somme_soldes: int = 0


@dataclass(frozen=True)
class Manifeste:
    """Ce que dit `manifeste.json` ; `empreinte` est le SHA-256 de ses octets."""

    version: int
    caf: str
    arrete_le: datetime
    sequence: int
    mode: str
    derniere_sequence_encaissements: int
    allocataires: FichierAnnonce
    dettes: FichierAnnonce
    empreinte: str

    @property
    def is_complet(self) -> bool:
        return self.mode == FichierRecu.Mode.COMPLET

    def __str__(self) -> str:
        return f"livraison {self.caf} n° {self.sequence}"


def read_manifeste(dossier: Path) -> Manifeste:
    """
    Lit et contrôle le manifeste d'un dossier de livraison.

    :raises LivraisonRefusee: s'il est absent, illisible, d'une autre version, ou incomplet
    """
    try:
        octets = (dossier / NOM).read_bytes()
    except OSError as erreur:
        raise LivraisonRefusee(
            f"{dossier / NOM} est absent ou ne se lit pas. Donnez le dossier entier de la livraison."
        ) from erreur
    try:
        donnees = json.loads(octets.decode("utf-8-sig"))
    except ValueError as erreur:
        raise LivraisonRefusee(f"{NOM} n'est pas du JSON en UTF-8 ({erreur}). Redemandez la livraison.") from erreur
    if _lire(donnees, "version", int) not in VERSIONS:
        raise LivraisonRefusee(f"version {donnees['version']} inconnue : nous lisons les versions 1 et 2.")
    mode = _lire(donnees, "mode", str)
    if mode not in FichierRecu.Mode.values:
        raise LivraisonRefusee(f"mode « {mode} » inconnu : complet ou differentiel.")
    annonces = _lire_fichiers(dossier, _lire(donnees, "fichiers", list))
    return Manifeste(
        version=donnees["version"],
        caf=_lire(donnees, "caf", str),
        arrete_le=_lire_instant(_lire(donnees, "arrete_le", str)),
        sequence=_lire(donnees, "sequence", int),
        mode=mode,
        derniere_sequence_encaissements=_lire(donnees, "derniere_sequence_encaissements", int),
        allocataires=annonces[ALLOCATAIRES],
        dettes=annonces[DETTES],
        empreinte=hashlib.sha256(octets).hexdigest(),
    )


def _lire(donnees: Any, cle: str, genre: type[T]) -> T:
    """La valeur d'une clé obligatoire, du bon genre ; un entier est un compte, jamais négatif."""
    if not isinstance(donnees, dict) or cle not in donnees:
        raise LivraisonRefusee(f"{NOM} : « {cle} » manque.")
    valeur = donnees[cle]
    if type(valeur) is not genre or (isinstance(valeur, int) and valeur < 0):
        raise LivraisonRefusee(f"{NOM} : « {cle} » ne se lit pas.")
    if isinstance(valeur, int) and cle != "somme_soldes" and valeur > ENTIER_MAX:
        raise LivraisonRefusee(f"{NOM} : « {cle} » est trop grand.")
    return valeur


def _lire_instant(texte: str) -> datetime:
    try:
        instant = datetime.fromisoformat(texte)
    except ValueError as erreur:
        raise LivraisonRefusee(f"{NOM} : « arrete_le » n'est pas une date ISO 8601.") from erreur
    if instant.tzinfo is None:
        raise LivraisonRefusee(f"{NOM} : « arrete_le » n'a pas de fuseau horaire.")
    return instant


def _lire_fichiers(dossier: Path, liste: list[Any]) -> dict[str, FichierAnnonce]:
    """Les deux fichiers attendus, et aucun autre : le nom n'est jamais un chemin venu d'ailleurs."""
    noms = [_lire(annonce, "nom", str) for annonce in liste]
    if sorted(noms) != [ALLOCATAIRES, DETTES]:
        raise LivraisonRefusee(f"{NOM} : les fichiers attendus sont {ALLOCATAIRES} et {DETTES}.")
    return {
        nom: FichierAnnonce(
            chemin=dossier / nom,
            lignes=_lire(annonce, "lignes", int),
            sha256=_lire(annonce, "sha256", str).lower(),
            somme_soldes=_lire(annonce, "somme_soldes", int) if nom == DETTES else 0,
        )
        for nom, annonce in zip(noms, liste, strict=True)
    }
