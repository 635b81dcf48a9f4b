"""Les lignes rejetées et les champs laissés vides : les mettre de côté, les compter, les écrire pour la Caf."""

import csv
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db.backends.utils import CursorWrapper

from dettes.importation.manifeste import FichierAnnonce, LivraisonRefusee, Manifeste
from dettes.importation.reconnues import CLES
from dettes.importation.regles import INVISIBLES, LISIBLE, NETTOYES, Facultatif, Regles
from socle.tableur import to_texte

ENTETE = ["genre", "fichier", "ligne", "cle", "champ", "motif"]
TOUS = """
SELECT 'rejet' AS genre, fichier, ligne, cle, '' AS champ, motif FROM rejets
UNION ALL
SELECT 'avertissement', fichier, ligne, cle, champ, motif FROM avertissements
ORDER BY fichier, ligne, genre DESC, champ
"""


def preparer(curseur: CursorWrapper) -> None:
    """Crée les tables où vont rejets et avertissements le temps de l'import."""
    curseur.execute(
        "CREATE TEMP TABLE rejets (fichier text, ligne bigint, cle text, numero text, lisible boolean, motif text);"
        "CREATE TEMP TABLE avertissements (fichier text, ligne bigint, cle text, champ text, motif text)"
    )


def nettoyer_les_textes(curseur: CursorWrapper, table: str) -> None:
    """Ôte des noms et des libellés ce qui ne se voit pas ou retourne la lecture, et le dit."""
    sales = {champ: f"{champ} ~ '{INVISIBLES}|{commandes}'" for champ, commandes in NETTOYES[table].items()}
    if not _has_ligne(curseur, table, sales.values(), {}):
        return
    for champ, commandes in NETTOYES[table].items():
        curseur.execute(
            f"""
            WITH nettoyees AS (
                UPDATE {table} SET {champ} = btrim(regexp_replace(regexp_replace(
                    {champ}, '{INVISIBLES}', '', 'g'), '{commandes}+', ' ', 'g'))
                WHERE {sales[champ]}
                RETURNING ligne, {CLES[table]} AS cle
            )
            INSERT INTO avertissements SELECT %s, ligne, cle, %s, 'des signes invisibles ont été ôtés' FROM nettoyees
            """,  # noqa: S608 (que nos constantes)
            [_get_fichier(table), champ],
        )


def rejeter(curseur: CursorWrapper, table: str, regles: Regles, bornes: Mapping[str, Any]) -> int:
    """Ôte de la table d'étape les lignes qu'une règle rejette ; rend leur nombre."""
    cas = " ".join(f"WHEN {condition} THEN {_citer(motif)}" for condition, motif in regles)
    curseur.execute(
        f"""
        INSERT INTO rejets (fichier, ligne, cle, numero, lisible, motif)
        SELECT %(fichier)s, ligne, cle, numero, lisible, motif
        FROM (SELECT ligne, numero, {CLES[table]} AS cle, {LISIBLE} AS lisible, CASE {cas} END AS motif
              FROM {table}) AS lues
        WHERE motif IS NOT NULL
        """,  # noqa: S608 (que nos constantes)
        {**bornes, "fichier": _get_fichier(table)},
    )
    nombre: int = curseur.rowcount
    if nombre:
        curseur.execute(
            f"DELETE FROM {table} e USING rejets r WHERE r.ligne = e.ligne AND r.fichier = %s",  # noqa: S608 (idem)
            [_get_fichier(table)],
        )
        curseur.execute(
            "DELETE FROM avertissements a USING rejets r WHERE (r.fichier, r.ligne) = (a.fichier, a.ligne)"
        )
    return nombre


def compter_les_meconnaissables(curseur: CursorWrapper, manifeste: Manifeste) -> int:
    """Les lignes de dettes rejetées qui ne disent ni dette ni dossier : peut-être celles de n'importe laquelle."""
    curseur.execute(
        """
        SELECT count(*) FROM rejets r
        WHERE r.fichier = 'dettes.csv' AND NOT r.lisible
          AND NOT EXISTS (SELECT FROM dettes_dette d WHERE d.caf_id = %(caf)s AND d.reference = r.cle)
          AND NOT EXISTS (SELECT FROM comptes_allocataire a WHERE a.caf_id = %(caf)s AND a.numero = r.numero)
        """,
        {"caf": manifeste.caf},
    )
    return int(curseur.fetchone()[0])


def vider_les_facultatifs(
    curseur: CursorWrapper, table: str, facultatifs: list[Facultatif], bornes: Mapping[str, Any]
) -> None:
    """Laisse vide un champ facultatif inutilisable, et avertit : il ne coûte jamais sa ligne (FICHIERS §3.2)."""
    if not _has_ligne(curseur, table, (facultatif.condition for facultatif in facultatifs), bornes):
        return
    for facultatif in facultatifs:
        curseur.execute(
            f"""
            WITH videes AS (
                UPDATE {table} SET {facultatif.champ} = '' WHERE {facultatif.condition}
                RETURNING ligne, {CLES[table]} AS cle
            )
            INSERT INTO avertissements SELECT %(fichier)s, ligne, cle, %(champ)s, %(motif)s FROM videes
            """,  # noqa: S608 (que nos constantes)
            {
                **bornes,
                "fichier": _get_fichier(table),
                "champ": facultatif.champ,
                "motif": f"{facultatif.motif} : laissé vide",
            },
        )


def avertir_des_deductions(curseur: CursorWrapper) -> None:
    """La Caf dit ce qu'elle a déduit de chaque dette : un écart avec nos fichiers se voit avant qu'il ne coûte."""
    curseur.execute(
        """
        INSERT INTO avertissements
        SELECT 'dettes.csv', c.ligne, d.reference, 'deduit',
               format('la Caf a déduit %s €, nos fichiers jusqu''au sien en portaient %s €', c.deduit::numeric(11, 2),
                      (c.pas_deduit - p.porte)::numeric(11, 2))
        FROM dettes_connues c JOIN dettes_dette d ON d.id = c.id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(m.montant), 0) AS porte FROM dettes_mouvement m
            WHERE m.dette_id = d.id AND m.genre IN ('IMPUTATION', 'REJET')
        ) p
        WHERE c.deduit <> c.pas_deduit - p.porte
        """
    )


def oublier_les_empreintes(curseur: CursorWrapper, table: str, lues: str) -> None:
    """Une ligne dont on avertit n'est pas reconnue la nuit suivante : on en avertira encore."""
    curseur.execute(
        f"UPDATE {lues} l SET empreinte = NULL FROM avertissements a WHERE a.ligne = l.ligne AND a.fichier = %s",  # noqa: S608 (nos constantes)
        [_get_fichier(table)],
    )


def verifier_seuil(fichier: FichierAnnonce, rejetees: int, seuil: Decimal) -> None:
    """
    Refuse la livraison si trop de lignes d'un fichier sont rejetées.

    :param seuil: part des lignes du fichier, entre 0 et 1
    :raises LivraisonRefusee: au-delà du seuil
    """
    if rejetees > seuil * fichier.lignes:  # garde: seuil_des_rejets
        raise LivraisonRefusee(
            f"{fichier.chemin.name} : {rejetees} lignes rejetées sur {fichier.lignes}, au-delà du seuil de"
            f" {seuil * 100:.3g} %. Les motifs sont dans le fichier des rejets ; corrigez, ou relevez --seuil-rejets."
        )


def ecrire(curseur: CursorWrapper, dossier: Path, manifeste: Manifeste) -> Path | None:
    """
    Écrit les rejets et les avertissements, qu'un tableur ouvre bien et sans rien exécuter ; rend le chemin, ou rien.

    BOM et CRLF : sans eux, un tableur lit nos accents de travers.
    """
    curseur.execute(TOUS)
    if not curseur.rowcount:
        return None
    dossier.mkdir(parents=True, exist_ok=True)
    chemin = dossier / f"rejets_{manifeste.caf}_{manifeste.sequence:06d}.csv"
    with chemin.open("w", encoding="utf-8-sig", newline="") as flux:
        ecrivain = csv.writer(flux, delimiter=";", lineterminator="\r\n")
        ecrivain.writerow(ENTETE)
        ecrivain.writerows(
            [genre, fichier, ligne, to_texte(cle), champ, motif]
            for genre, fichier, ligne, cle, champ, motif in curseur.fetchall()
        )
    return chemin


def montrer(curseur: CursorWrapper, table: str, au_plus: int) -> list[dict[str, object]]:
    """Les premiers, pour le compte rendu : fichier, ligne, motif ; la clé reste dans le fichier des rejets."""
    curseur.execute(
        f"SELECT fichier, ligne, motif FROM {table} ORDER BY fichier, ligne LIMIT %s",  # noqa: S608 (nos constantes)
        [au_plus],
    )
    return [{"fichier": fichier, "ligne": ligne, "motif": motif} for fichier, ligne, motif in curseur.fetchall()]


def compter_les_avertissements(curseur: CursorWrapper) -> dict[str, int]:
    """Combien par champ, sous « fichier, champ »."""
    curseur.execute("SELECT fichier || ', ' || champ, count(*) FROM avertissements GROUP BY 1 ORDER BY 1")
    return dict(curseur.fetchall())


def _has_ligne(curseur: CursorWrapper, table: str, conditions: Iterable[str], bornes: Mapping[str, Any]) -> bool:
    """Une seule lecture, d'ordinaire : presque toutes les livraisons sont propres."""
    une = " OR ".join(f"({condition})" for condition in conditions)
    curseur.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE {une})", bornes)  # noqa: S608 (que nos constantes)
    return bool(curseur.fetchone()[0])


def _get_fichier(table: str) -> str:
    return table.replace("etape_", "") + ".csv"


def _citer(texte: str) -> str:
    return "'" + texte.replace("'", "''") + "'"
