"""Les fichiers entrent tels quels, en texte, dans une table d'étape."""

import csv
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.utils import CursorWrapper

from dettes.importation.manifeste import FichierAnnonce, LivraisonRefusee

COLONNES = {
    "etape_allocataires": [
        *("caf", "numero", "civilite", "nom", "prenom", "date_naissance", "courriel", "identite", "radie_le")
    ],
    "etape_dettes": [
        *("caf", "numero", "reference", "creancier", "nature", "code", "libelle", "motif"),
        *("periode_debut", "periode_fin", "notifiee_le", "montant_initial", "solde"),
        *("phase", "situation", "retenue_mensuelle"),
    ],
}
# Le courriel d'un allocataire ne sert à rien ici : un fichier peut encore en avoir la colonne, elle ne se garde pas.
FACULTATIVES = {"courriel", "identite"}
# Ce que la version 2 ajoute (FICHIERS §2).
DE_LA_VERSION_2: dict[str, list[str]] = {"etape_allocataires": [], "etape_dettes": ["solde_crediteur", "deduit"]}
BLOC = 1 << 20


def verifier_empreinte(fichier: FichierAnnonce) -> None:
    """
    Contrôle que le fichier est bien celui que le manifeste annonce.

    :raises LivraisonRefusee: s'il manque, s'il a changé, ou s'il n'est pas du texte
    """
    empreinte = hashlib.sha256()
    try:
        with fichier.chemin.open("rb") as flux:
            while bloc := flux.read(BLOC):
                if b"\0" in bloc:
                    raise LivraisonRefusee(
                        f"{fichier.chemin.name} contient des octets nuls : ce n'est pas de l'UTF-8. Réexportez-le."
                    )
                empreinte.update(bloc)
    except OSError as erreur:
        raise LivraisonRefusee(f"{fichier.chemin} est absent ou ne se lit pas. Redemandez la livraison.") from erreur
    if empreinte.hexdigest() != fichier.sha256:
        raise LivraisonRefusee(
            f"{fichier.chemin.name} n'a pas l'empreinte annoncée : il est tronqué, ou a changé après l'écriture du"
            " manifeste. Redemandez la livraison."
        )


def charger(curseur: CursorWrapper, table: str, fichier: FichierAnnonce, version: int) -> None:
    """
    Crée la table d'étape et y verse le fichier, en flux ; `ligne` est son numéro, `ecart` ses champs en trop.

    :raises LivraisonRefusee: si l'en-tête, l'encodage, les guillemets ou le nombre de lignes ne vont pas
    """
    toutes = COLONNES[table] + DE_LA_VERSION_2[table]
    attendues = toutes if version > 1 else COLONNES[table]
    with _lire(fichier) as lecteur:
        colonnes: list[str] = next(lecteur, [])
        _verifier_entete(fichier, colonnes, attendues)
        textes = ", ".join(f"{colonne} text DEFAULT ''" for colonne in toutes)
        curseur.execute(
            f"CREATE TEMP TABLE {table} (ligne bigint, ecart smallint, absente boolean DEFAULT false, {textes})"
        )
        lues = _copier(curseur, f"COPY {table} (ligne, ecart, {', '.join(colonnes)}) FROM STDIN", lecteur, colonnes)
    if lues != fichier.lignes:
        raise LivraisonRefusee(
            f"{fichier.chemin.name} a {lues} lignes, le manifeste en dit {fichier.lignes}. Redemandez la livraison."
        )
    curseur.execute(f"CREATE INDEX ON {table} (numero)")
    curseur.execute(f"ANALYZE {table}")


def nettoyer(curseur: CursorWrapper) -> None:
    """Ôte tout ce qui n'a servi qu'à cet import, et les vues qui en dépendent."""
    curseur.execute(
        "DROP TABLE etape_allocataires, etape_dettes, rejets, avertissements, changees, cibles, neuves CASCADE"
    )


@contextmanager
def _lire(fichier: FichierAnnonce) -> Iterator[Any]:
    """Un lecteur CSV ; ce qui l'arrête en chemin devient un refus qui dit où."""
    with fichier.chemin.open(encoding="utf-8-sig", newline="") as flux:
        lecteur = csv.reader(flux, delimiter=";", strict=True)
        try:
            yield lecteur
        except UnicodeDecodeError as erreur:
            raise LivraisonRefusee(
                f"{fichier.chemin.name} n'est pas en UTF-8 (après la ligne {lecteur.line_num}). Réexportez-le."
            ) from erreur
        except csv.Error as erreur:
            raise LivraisonRefusee(
                f"{fichier.chemin.name}, ligne {lecteur.line_num} : guillemets mal fermés ({erreur}). Réexportez-le."
            ) from erreur


def _verifier_entete(fichier: FichierAnnonce, colonnes: list[str], attendues: list[str]) -> None:
    inconnues = sorted(set(colonnes) - set(attendues))
    manquantes = [colonne for colonne in attendues if colonne not in colonnes and colonne not in FACULTATIVES]
    if inconnues or manquantes:
        raise LivraisonRefusee(
            f"{fichier.chemin.name}, en-tête : colonnes inconnues {inconnues or 'aucune'}, colonnes manquantes"
            f" {manquantes or 'aucune'}."
        )
    if len(colonnes) != len(set(colonnes)):
        raise LivraisonRefusee(f"{fichier.chemin.name}, en-tête : une colonne est répétée.")


def _copier(curseur: CursorWrapper, ordre: str, lecteur: Any, colonnes: list[str]) -> int:
    """Verse les lignes et rend leur nombre ; une ligne trop courte ou trop longue garde son écart pour son rejet."""
    attendu = len(colonnes)
    vides = [""] * attendu
    lues = 0
    with curseur.copy(ordre) as copie:
        for champs in lecteur:
            largeur = len(champs)
            if largeur == 0:
                continue  # une ligne vide en fin de fichier n'est pas une ligne
            if largeur != attendu:
                champs = (champs + vides)[:attendu]
            copie.write_row([lecteur.line_num, min(largeur - attendu, 9999), *champs])
            lues += 1
    return lues
