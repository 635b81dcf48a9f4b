"""La Caf, de l'autre côté des fichiers : elle a ses soldes, prend nos encaissements quand elle veut, et livre."""

import csv
import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.db import connection
from django.db.models import Max, Sum
from django.utils import timezone

from comptes.models import Caf
from dettes.encaissements import emettre
from dettes.importation import importer
from dettes.importation.etape import COLONNES
from dettes.models import Dette, FichierEmis, FichierRecu, Mouvement

ZERO = Decimal(0)
ECRITURES = (Mouvement.Genre.IMPUTATION, Mouvement.Genre.REJET)


def ecrire_csv(chemin: Path, colonnes: list[str], lignes: list[dict[str, str]]) -> dict[str, object]:
    with chemin.open("w", encoding="utf-8", newline="") as flux:
        ecrivain = csv.DictWriter(flux, colonnes, delimiter=";", lineterminator="\n", restval="")
        ecrivain.writeheader()
        ecrivain.writerows(lignes)
    return {
        "nom": chemin.name,
        "lignes": len(lignes),
        "sha256": hashlib.sha256(chemin.read_bytes()).hexdigest(),
        "somme_soldes": sum(int(ligne.get("solde", 0)) for ligne in lignes),
    }


@dataclass
class FichiersDeLaCaf:
    """`deduits` : la dernière séquence d'encaissements que la Caf a portée dans ses comptes."""

    caf: Caf
    dossier: Path
    deduits: int = 0

    def emettre(self) -> None:
        emettre(self.caf, self.dossier)

    def livrer(self, dette: Dette, sans_nous: Decimal, situation: str) -> Decimal:
        """
        Livre une dette par le vrai import, encaissements émis déduits ; rend le solde que l'on doit lire ensuite.

        :param sans_nous: ce que la dette serait aux yeux de la Caf sans aucun de nos paiements, en euros
        """
        self.deduits = FichierEmis.objects.filter(caf=self.caf).aggregate(n=Max("sequence"))["n"] or 0
        ecritures = Mouvement.objects.filter(dette=dette, genre__in=ECRITURES)
        deduites = ecritures.filter(ligne_emise__fichier__sequence__lte=self.deduits)
        solde = min(max(sans_nous + _sommer(deduites), ZERO), dette.montant_initial)
        self._importer(dette, int(solde * 100), situation if solde else "SOLDEE")
        return max(solde + _sommer(ecritures) - _sommer(deduites), ZERO)

    def _importer(self, dette: Dette, centimes: int, situation: str) -> None:
        sequence = FichierRecu.objects.filter(caf=self.caf).count() + 1
        lieu = self.dossier / f"livraison-{sequence}"
        lieu.mkdir()
        ligne = {nom: str(getattr(dette, nom) or "") for nom in COLONNES["etape_dettes"] if hasattr(dette, nom)}
        ligne |= {
            "caf": self.caf.pk,
            "numero": dette.allocataire.numero,
            "montant_initial": str(int(dette.montant_initial * 100)),
            "solde": str(centimes),
            "situation": situation,
        }
        fichiers = [
            ecrire_csv(lieu / "allocataires.csv", COLONNES["etape_allocataires"], []),
            ecrire_csv(lieu / "dettes.csv", COLONNES["etape_dettes"], [ligne]),
        ]
        manifeste = {
            "version": 1,
            "caf": self.caf.pk,
            "arrete_le": timezone.localtime().isoformat(timespec="seconds"),
            "sequence": sequence,
            "mode": "differentiel",
            "derniere_sequence_encaissements": self.deduits,
            "fichiers": fichiers,
        }
        (lieu / "manifeste.json").write_text(json.dumps(manifeste), encoding="utf-8")
        compte_rendu = importer(lieu, ou_rejeter=lieu)
        assert compte_rendu["rejets"] == []
        with connection.cursor() as curseur:
            # Ses tables d'étape partent avec la transaction ; la nôtre tient toute l'histoire.
            curseur.execute("DISCARD TEMP")


def _sommer(mouvements) -> Decimal:
    return mouvements.aggregate(somme=Sum("montant"))["somme"] or ZERO


@contextmanager
def ouvrir_les_fichiers(caf: Caf) -> Iterator[FichiersDeLaCaf]:
    with tempfile.TemporaryDirectory() as dossier:
        yield FichiersDeLaCaf(caf, Path(dossier))
