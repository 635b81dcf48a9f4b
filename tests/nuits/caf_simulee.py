"""
Un système de gestion de Caf, simulé : son propre code, écrit d'après le contrat, sans rien importer du service.

Il tient ses dettes en centimes, retient sur les prestations, prend nos fichiers d'encaissements quand ils lui
parviennent, et livre chaque nuit en version 2.
"""

import csv
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

PERSONNES = "caf;numero;civilite;nom;prenom;date_naissance;radie_le"
DETTES = (
    "caf;numero;reference;creancier;nature;code;libelle;motif;periode_debut;periode_fin;notifiee_le;montant_initial;"
    "solde;phase;situation;retenue_mensuelle;solde_crediteur;deduit"
)


@dataclass
class Dette:
    """`du` est signé : sous zéro, la Caf a reçu plus que son dû."""

    numero: str
    initial: int
    du: int
    deduit: int = 0


@dataclass
class CafSimulee:
    """`prise` : notre dernier fichier porté dans ses comptes ; `sequence` : sa dernière livraison."""

    code: str
    alea: Random
    debut: datetime
    dettes: dict[str, Dette] = field(default_factory=dict)
    prise: int = 0
    sequence: int = 0

    def naitre(self, personnes: int) -> None:
        """Deux dettes par personne."""
        for rang in range(1, 2 * personnes + 1):
            montant = self.alea.randrange(5_000, 90_000)
            reference = f"INK-{self.code}-{rang:06d}"
            self.dettes[reference] = Dette(f"{(rang + 1) // 2:07d}", montant, montant)

    def retenir(self, combien: int) -> None:
        """La retenue continue pendant qu'on paie : c'est la cause des trop-payés."""
        vives = [reference for reference, dette in self.dettes.items() if dette.du > 0]
        for reference in self.alea.sample(vives, min(combien, len(vives))):
            dette = self.dettes[reference]
            dette.du -= self.alea.randrange(1, min(dette.du, 5_600) + 1)

    def prendre(self, dossier: Path) -> None:
        """Prend nos fichiers dans l'ordre ; celui qui manque arrête la suite, celui déjà pris ne compte plus."""
        while (manifeste := dossier / f"encaissements_{self.code}_{self.prise + 1:06d}.json").exists():
            annonce = json.loads(manifeste.read_text())["fichiers"][0]
            octets = manifeste.with_suffix(".csv").read_bytes()
            assert hashlib.sha256(octets).hexdigest() == annonce["sha256"]
            for ligne in csv.DictReader(octets.decode().splitlines(), delimiter=";"):
                dette = self.dettes[ligne["reference_dette"]]
                assert dette.numero == ligne["numero"]
                montant = int(ligne["montant"]) * (1 if ligne["sens"] == "IMPUTATION" else -1)
                dette.du -= montant
                dette.deduit += montant
            self.prise += 1

    def compter_en_route(self, dossier: Path) -> Counter[str]:
        """Par dette, en centimes, ce que nos fichiers lui diront quand elle les prendra."""
        en_route: Counter[str] = Counter()
        for chemin in dossier.glob(f"encaissements_{self.code}_*.csv"):
            if int(chemin.stem.rsplit("_", 1)[1]) > self.prise:
                for ligne in csv.DictReader(chemin.read_text().splitlines(), delimiter=";"):
                    montant = int(ligne["montant"])
                    en_route[ligne["reference_dette"]] += montant if ligne["sens"] == "IMPUTATION" else -montant
        return en_route

    def livrer(self, racine: Path) -> Path:
        """Écrit la photo de cette nuit, complète, et rend son dossier."""
        self.sequence += 1
        dossier = racine / f"livraison-{self.sequence:03d}"
        dossier.mkdir(parents=True)
        personnes = sorted({dette.numero for dette in self.dettes.values()})
        fichiers = [
            self._ecrire(dossier, "allocataires.csv", PERSONNES, [self._dire_une_personne(n) for n in personnes]),
            self._ecrire(dossier, "dettes.csv", DETTES, [self._dire(r, d) for r, d in self.dettes.items()]),
        ]
        fichiers[1]["somme_soldes"] = sum(max(dette.du, 0) for dette in self.dettes.values())
        manifeste = {
            "version": 2,
            "caf": self.code,
            "arrete_le": (self.debut + timedelta(minutes=self.sequence)).astimezone(UTC).isoformat(),
            "sequence": self.sequence,
            "mode": "complet",
            "derniere_sequence_encaissements": self.prise,
            "fichiers": fichiers,
        }
        (dossier / "manifeste.json").write_text(json.dumps(manifeste))
        return dossier

    def _dire_une_personne(self, numero: str) -> str:
        return f"{self.code};{numero};MME;Durand{numero};Anne;1980-01-31;"

    def _dire(self, reference: str, dette: Dette) -> str:
        situation = "EN_COURS" if dette.du > 0 else "SOLDEE"
        return (
            f"{self.code};{dette.numero};{reference};CAF;RSA;INK 001;Trop-perçu : RSA;;;;2025-05-01;{dette.initial};"
            f"{max(dette.du, 0)};AMIABLE;{situation};;{max(-dette.du, 0)};{max(dette.deduit, 0)}"
        )

    def _ecrire(self, dossier: Path, nom: str, entete: str, lignes: list[str]) -> dict[str, object]:
        octets = ("\n".join([entete, *lignes]) + "\n").encode()
        (dossier / nom).write_bytes(octets)
        return {"nom": nom, "lignes": len(lignes), "sha256": hashlib.sha256(octets).hexdigest()}
