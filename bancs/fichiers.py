"""
Les fichiers échangés avec la Caf : première livraison, livraison de la nuit, première émission.

L'étalon est le COPY des mêmes dettes dans une table aux mêmes colonnes, index et contraintes, sans déclencheur ; pour
l'émission, le COPY des mêmes lignes, lues par jointures, sans rien marquer comme parti.
"""

import csv
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ["NIVEAU_JOURNAL"] = "ERROR"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
import django

django.setup()

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from bancs.imputation import mesurer, preparer
from bancs.mesure import TOURS, Ligne, dire
from comptes.models import Caf
from dettes.encaissements import emettre
from dettes.importation import importer
from dettes.importation.etape import COLONNES
from dettes.models import Dette
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Imputation
from paiements.surveillance.invariants import verifier

DETTES = int(os.environ.get("DETTES", "20000"))
EMIS = int(os.environ.get("EMIS", "20000"))
PAIEMENTS = 200
INITIAL = 90_000  # centimes
COPIER = """COPY nue_dette_lue (id, caf_id, allocataire_id, reference, creancier, nature, code, libelle, motif,
    periode_debut, periode_fin, notifiee_le, montant_initial, solde, phase, situation) FROM STDIN"""
JOINDRE = """COPY (
    SELECT a.caf_id, 1, p.reference, (i.paye_le AT TIME ZONE 'Europe/Paris')::date,
           (m.le AT TIME ZONE 'Europe/Paris')::date, a.numero, d.reference, abs(m.montant) * 100, m.genre, i.debit_id
    FROM dettes_mouvementarendre r
    JOIN dettes_mouvement m ON m.id = r.mouvement_id
    JOIN dettes_dette d ON d.id = m.dette_id
    JOIN comptes_allocataire a ON a.id = d.allocataire_id
    JOIN paiements_imputation i ON i.mouvement_id = m.id
    JOIN paiements_paiement p ON p.id = i.paiement_id
    WHERE r.caf_id = %s
    ORDER BY m.id
) TO STDOUT WITH (FORMAT csv, DELIMITER ';')"""
# Reprendre ce qui est imputé, puis le remettre : de vraies écritures, gardées comme les autres, autant qu'on en veut.
PORTER = """
WITH portees AS (SELECT * FROM paiements_imputation WHERE id = ANY(%(imputations)s)), ecrites AS (
    INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif, le)
    SELECT i.dette_id, %(genre)s, -%(sens)s * i.montant, 0, p.reference, '', now()
    FROM portees i JOIN paiements_paiement p ON p.id = i.paiement_id
    RETURNING id, dette_id
)
INSERT INTO paiements_imputation (paiement_id, debit_id, dette_id, montant, mouvement_id, paye_le, motif, auteur)
SELECT paiement_id, debit_id, dette_id, %(sens)s * montant, e.id, paye_le, 'banc', 'service'
FROM ecrites e JOIN portees USING (dette_id)
"""


def livrer(dossier: Path, caf: str, sequence: int, soldes: Sequence[int]) -> Path:
    """Une livraison complète : deux dettes par dossier, `soldes` en centimes."""
    lieu = dossier / f"{caf}-{sequence}"
    lieu.mkdir()
    allocataires = [
        {"caf": caf, "numero": f"{rang:07d}", "civilite": "MME", "nom": "Banc", "prenom": "Camille"}
        for rang in range(len(soldes) // 2)
    ]
    dettes = [
        {
            "caf": caf,
            "numero": f"{rang // 2:07d}",
            "reference": f"{caf}-{rang:08d}",
            "creancier": "ETAT",
            "nature": "PPA",
            "libelle": "Trop-perçu : prime d'activité",
            "periode_debut": "2025-04-01",
            "periode_fin": "2025-06-30",
            "notifiee_le": "2025-09-01",
            "montant_initial": str(INITIAL),
            "solde": str(solde),
            "phase": "AMIABLE",
            "situation": "EN_COURS",
        }
        for rang, solde in enumerate(soldes)
    ]
    manifeste = {
        "version": 1,
        "caf": caf,
        "arrete_le": timezone.localtime().isoformat(timespec="seconds"),
        "sequence": sequence,
        "mode": "complet",
        "derniere_sequence_encaissements": 0,
        "fichiers": [
            _ecrire(lieu / "allocataires.csv", COLONNES["etape_allocataires"], allocataires),
            _ecrire(lieu / "dettes.csv", COLONNES["etape_dettes"], dettes) | {"somme_soldes": sum(soldes)},
        ],
    }
    (lieu / "manifeste.json").write_text(json.dumps(manifeste), encoding="utf-8")
    return lieu


def _ecrire(chemin: Path, colonnes: list[str], lignes: list[dict[str, str]]) -> dict[str, object]:
    with chemin.open("w", encoding="utf-8", newline="") as flux:
        ecrivain = csv.DictWriter(flux, colonnes, delimiter=";", lineterminator="\n", restval="")
        ecrivain.writeheader()
        ecrivain.writerows(lignes)
    return {"nom": chemin.name, "lignes": len(lignes), "sha256": hashlib.sha256(chemin.read_bytes()).hexdigest()}


def copier(soldes: Sequence[int]) -> None:
    """L'étalon : les mêmes dettes, par COPY, dans une table vide aux mêmes index et contraintes."""
    with connection.cursor() as curseur:
        curseur.execute(
            "DROP TABLE IF EXISTS nue_dette_lue; CREATE TABLE nue_dette_lue (LIKE dettes_dette INCLUDING ALL)"
        )
        with curseur.copy(COPIER) as copie:
            for rang, solde in enumerate(soldes):
                qui = (
                    rang + 1,
                    "661",
                    rang // 2,
                    f"B-{rang:08d}",
                    "ETAT",
                    "PPA",
                    "",
                    "Trop-perçu : prime d'activité",
                    "",
                )
                quand = ("2025-04-01", "2025-06-30", "2025-09-01")
                copie.write_row([*qui, *quand, INITIAL / 100, solde / 100, "AMIABLE", "EN_COURS"])


def joindre(caf: Caf, chemin: Path) -> None:
    """L'étalon de l'émission : les mêmes lignes, écrites et hachées, sans que rien soit dit parti."""
    empreinte = hashlib.sha256()
    with chemin.open("wb") as flux, connection.cursor() as curseur, curseur.copy(JOINDRE, [caf.pk]) as copie:
        for bloc in copie:
            empreinte.update(bloc)
            flux.write(bloc)


def mesurer_les_livraisons(dossier: Path, base: int) -> None:
    premieres, nuits, secondes = [], [], (0.0, 0.0)
    soldes = [INITIAL - 12_000 * (rang % 2) for rang in range(DETTES)]
    demain = [solde - 100 * (rang % 10 == 0) for rang, solde in enumerate(soldes)]
    for tour in range(TOURS + 1):
        caf = Caf.objects.create(code=f"Z{tour:02d}", nom=f"Banc {tour}", departement="99").pk
        hier, nuit = livrer(dossier, caf, 1, soldes), livrer(dossier, caf, 2, demain)
        copie = mesurer(lambda: copier(soldes), base)
        premiere = mesurer(lambda lieu=hier: importer(lieu, ou_rejeter=dossier), base)
        seconde = mesurer(lambda lieu=nuit: importer(lieu, ou_rejeter=dossier), base)
        recues = Dette.objects.filter(caf=caf).aggregate(somme=Sum("solde"))["somme"]
        assert recues * 100 == sum(demain), "chaque dette a le solde de la dernière livraison"
        if tour:
            premieres.append(copie / premiere)
            nuits.append(copie / seconde)
            secondes = (premiere, seconde)
    premiere, seconde = (f"{duree / DETTES * 1e6:.0f} µs par dette, {DETTES} dettes" for duree in secondes)
    dire(Ligne("Première livraison : COPY ÷ nous", premieres, 0.2, plus_haut_est_mieux=True, note=premiere))
    dire(Ligne("Livraison de la nuit, 10 % changé : COPY ÷ nous", nuits, 0.8, plus_haut_est_mieux=True, note=seconde))


def porter(imputations: Sequence[int]) -> int:
    """De quoi remplir un fichier : les mêmes sommes, reprises puis remises ; rend combien de mouvements."""
    ecrits = 0
    with connection.cursor() as curseur:
        while ecrits < EMIS:
            for genre, sens in (("REJET", -1), ("IMPUTATION", 1)):
                curseur.execute(PORTER, {"imputations": imputations, "genre": genre, "sens": sens})
                ecrits += curseur.rowcount
        # Ce que fait la base d'elle-même, un peu plus tard.
        curseur.execute("ANALYZE dettes_mouvement, dettes_mouvementarendre, paiements_imputation")
    return ecrits


def mesurer_les_emissions(dossier: Path, base: int) -> None:
    caf = Caf.objects.exclude(boutique="").order_by("code").first()
    assert caf
    emettre(caf, dossier)
    preparer(PAIEMENTS)
    while imputer_un_lot():
        pass
    imputations = list(Imputation.objects.filter(mouvement__a_rendre__caf=caf).values_list("pk", flat=True))
    emettre(caf, dossier)
    emissions, secondes = [], (0.0, 0.0, 0.0)
    for tour in range(TOURS + 1):
        ecrits = porter(imputations)
        etalon = mesurer(lambda: joindre(caf, dossier / "etalon.csv"), base)
        nous = mesurer(lambda: emettre(caf, dossier), base)
        rien = mesurer(lambda: [emettre(caf, dossier) for _ in range(10)], base) / 10
        publie = max(dossier.glob(f"encaissements_{caf.pk}_*.csv"))
        assert len(publie.read_text().splitlines()) == ecrits + 1, "chaque mouvement est parti, une fois"
        if tour:
            emissions.append(etalon / nous)
            secondes = (etalon, nous, rien)
    etalon, nous, rien = secondes
    note = (
        f"{ecrits} lignes, {etalon / ecrits * 1e6:.0f} et {nous / ecrits * 1e6:.0f} µs ; rien : {rien * 1000:.0f} ms"
    )
    dire(Ligne("Première émission : COPY par jointures ÷ nous", emissions, 0.6, plus_haut_est_mieux=True, note=note))


def main() -> None:
    connection.settings_dict["CONN_MAX_AGE"] = None
    base = connection.cursor().execute("SELECT pg_backend_pid()").fetchone()[0]
    with tempfile.TemporaryDirectory(dir=os.environ["BANCS_DOSSIER"]) as lieu:
        mesurer_les_livraisons(Path(lieu), base)
        mesurer_les_emissions(Path(lieu), base)
    violations = [v for v in verifier() if v.invariant.nom != "rien_en_retard"]
    assert not violations, violations[:5]


if __name__ == "__main__":
    main()
