"""Les lignes rejetées : les mettre de côté, les compter, les écrire pour la Caf."""

import csv
from decimal import Decimal
from pathlib import Path

from django.db.backends.utils import CursorWrapper

from dettes.importation.manifeste import FichierAnnonce, LivraisonRefusee, Manifeste
from dettes.importation.regles import Regles
from socle.tableur import neutralize

ENTETE = ["fichier", "ligne", "cle", "motif"]


def preparer(curseur: CursorWrapper) -> None:
    """Crée la table où vont les rejets le temps de l'import."""
    curseur.execute("CREATE TEMP TABLE rejets (fichier text, ligne bigint, cle text, numero text, motif text)")


def rejeter(curseur: CursorWrapper, table: str, cle: str, regles: Regles, manifeste: Manifeste) -> int:
    """Ôte de la table d'étape les lignes qu'une règle rejette ; rend leur nombre."""
    cas = " ".join(f"WHEN {condition} THEN '{motif.replace(chr(39), chr(39) * 2)}'" for condition, motif in regles)
    curseur.execute(
        f"""
        INSERT INTO rejets (fichier, ligne, cle, numero, motif)
        SELECT %(fichier)s, ligne, cle, numero, motif
        FROM (SELECT ligne, numero, {cle} AS cle, CASE {cas} END AS motif FROM {table}) AS lues WHERE motif IS NOT NULL
        """,  # noqa: S608 (que nos constantes)
        {"caf": manifeste.caf, "fichier": table.replace("etape_", "") + ".csv"},
    )
    nombre: int = curseur.rowcount
    if nombre:
        curseur.execute(
            f"DELETE FROM {table} e USING rejets r WHERE r.ligne = e.ligne AND r.fichier = %s",  # noqa: S608 (idem)
            [table.replace("etape_", "") + ".csv"],
        )
    return nombre


def verifier_seuil(fichier: FichierAnnonce, rejetees: int, seuil: Decimal) -> None:
    """
    Refuse la livraison si trop de lignes d'un fichier sont rejetées.

    :param seuil: part des lignes du fichier, entre 0 et 1
    :raises LivraisonRefusee: au-delà du seuil
    """
    if rejetees > seuil * fichier.lignes:
        raise LivraisonRefusee(
            f"{fichier.chemin.name} : {rejetees} lignes rejetées sur {fichier.lignes}, au-delà du seuil de"
            f" {seuil * 100:.3g} %. Les motifs sont dans le fichier des rejets ; corrigez, ou relevez --seuil-rejets."
        )


def ecrire(curseur: CursorWrapper, dossier: Path, manifeste: Manifeste) -> Path | None:
    """Écrit le fichier des rejets, qu'un tableur ouvre sans rien exécuter ; rend son chemin, ou rien sans rejet."""
    curseur.execute("SELECT fichier, ligne, cle, motif FROM rejets ORDER BY fichier, ligne")
    if not curseur.rowcount:
        return None
    dossier.mkdir(parents=True, exist_ok=True)
    chemin = dossier / f"rejets_{manifeste.caf}_{manifeste.sequence:06d}.csv"
    with chemin.open("w", encoding="utf-8", newline="") as flux:
        ecrivain = csv.writer(flux, delimiter=";", lineterminator="\n")
        ecrivain.writerow(ENTETE)
        ecrivain.writerows([neutralize(valeur) for valeur in ligne] for ligne in curseur.fetchall())
    return chemin


def montrer(curseur: CursorWrapper, au_plus: int) -> list[dict[str, object]]:
    """Les premiers rejets, pour le compte rendu : fichier, ligne, motif ; la clé reste dans le fichier des rejets."""
    curseur.execute("SELECT fichier, ligne, motif FROM rejets ORDER BY fichier, ligne LIMIT %s", [au_plus])
    return [{"fichier": fichier, "ligne": ligne, "motif": motif} for fichier, ligne, motif in curseur.fetchall()]
