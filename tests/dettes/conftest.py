"""Des livraisons de la Caf, écrites à la demande dans un dossier du test."""

import csv
import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from dettes.importation.etape import COLONNES, DE_LA_VERSION_2
from dettes.models import Dette
from tests.factories import CafFactory

ALLOCATAIRE = {"caf": "661", "numero": "0000354", "civilite": "MME", "nom": "Colin", "prenom": "Inès"}
DETTE = {
    "caf": "661",
    "numero": "0000354",
    "reference": "IM3-661-000001",
    "creancier": "ETAT",
    "nature": "PPA",
    "code": "IM3 001",
    "libelle": "Trop-perçu : prime d'activité",
    "motif": "Ressources corrigées ; voir le courrier.",
    "periode_debut": "2025-04-01",
    "periode_fin": "2025-06-30",
    "notifiee_le": "2025-09-01",
    "montant_initial": "90000",
    "solde": "90000",
    "phase": "AMIABLE",
    "situation": "EN_COURS",
}

REFERENCE = DETTE["reference"]
DEUX_DOSSIERS = [{}, {"numero": "0000999"}]

Ligne = dict[str, str]
Livrer = Callable[..., Path]


@pytest.fixture
def chez_soi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Les fichiers de rejets tombent dans le dossier du test."""
    monkeypatch.chdir(tmp_path)


def get_dette() -> Dette:
    """La dette d'une livraison ordinaire."""
    return Dette.objects.get(reference=REFERENCE)


def ecrire_csv(chemin: Path, colonnes: list[str], lignes: list[Ligne]) -> None:
    with chemin.open("w", encoding="utf-8", newline="") as flux:
        ecrivain = csv.DictWriter(flux, colonnes, delimiter=";", lineterminator="\n", restval="")
        ecrivain.writeheader()
        ecrivain.writerows(lignes)


def ecrire_manifeste(dossier: Path, **ecarts: Any) -> None:
    """Le manifeste juste de ce que contient le dossier, avec les écarts demandés."""
    fichiers = []
    for nom in ("allocataires.csv", "dettes.csv"):
        octets = (dossier / nom).read_bytes()
        texte = StringIO(octets.decode("utf-8-sig", "replace"), newline="")
        lignes = list(csv.DictReader(texte, delimiter=";"))
        fichier = {"nom": nom, "lignes": len(lignes), "sha256": hashlib.sha256(octets).hexdigest()}
        if nom == "dettes.csv":
            soldes = [ligne.get("solde") or "" for ligne in lignes]
            fichier["somme_soldes"] = sum(int(solde) for solde in soldes if solde.lstrip("-").isdigit())
        fichiers.append(fichier | ecarts.pop(nom, {}))
    manifeste = {
        "version": 1,
        "caf": "661",
        "arrete_le": "2026-11-20T22:00:00+01:00",
        "sequence": 1,
        "mode": "differentiel",
        "derniere_sequence_encaissements": 0,
        "fichiers": fichiers,
    }
    (dossier / "manifeste.json").write_text(json.dumps(manifeste | ecarts), encoding="utf-8")


@pytest.fixture
def livrer(tmp_path: Path, db: None) -> Livrer:
    """`livrer(dettes=[{...}], sequence=2)` écrit une livraison de la Caf 661 et rend son dossier."""
    CafFactory(code="661")

    def _livrer(dettes: list[Ligne] | None = None, allocataires: list[Ligne] | None = None, **manifeste: Any) -> Path:
        dossier = tmp_path / f"livraison-{len(list(tmp_path.iterdir()))}"
        dossier.mkdir()
        dettes, allocataires = [{}] if dettes is None else dettes, [{}] if allocataires is None else allocataires
        de_plus = DE_LA_VERSION_2["etape_dettes"] if manifeste.get("version") == 2 else []
        ecrire_csv(dossier / "dettes.csv", COLONNES["etape_dettes"] + de_plus, [DETTE | ecarts for ecarts in dettes])
        ecrire_csv(
            dossier / "allocataires.csv",
            COLONNES["etape_allocataires"],
            [ALLOCATAIRE | ecarts for ecarts in allocataires],
        )
        ecrire_manifeste(dossier, **manifeste)
        return dossier

    return _livrer
