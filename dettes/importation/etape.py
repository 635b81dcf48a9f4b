"""Les fichiers entrent tels quels, en texte, dans une table d'étape."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.db.backends.utils import CursorWrapper

from dettes.importation import reconnues
from dettes.importation.lignes import decouper, ouvrir
from dettes.importation.manifeste import FichierAnnonce, LivraisonRefusee, Manifeste

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


def charger(
    curseur: CursorWrapper, table: str, fichier: FichierAnnonce, manifeste: Manifeste, bornes: Mapping[str, Any]
) -> None:
    """
    Crée la table d'étape et y verse, en flux, les lignes que nous n'avons pas déjà telles quelles (`reconnues`).

    `ligne` est le numéro d'une ligne, `empreinte` la sienne, `ecart` ses champs en trop.

    :raises LivraisonRefusee: si l'en-tête, l'encodage, les guillemets ou le nombre de lignes ne vont pas
    """
    toutes = COLONNES[table] + DE_LA_VERSION_2[table]
    with ouvrir(fichier) as lecteur:
        colonnes = decouper(next(iter(lecteur), (0, ""))[1])
        _verifier_entete(fichier, colonnes, toutes if manifeste.version > 1 else COLONNES[table])
        lues = reconnues.relever(curseur, lecteur, reconnues.saler(manifeste, table, colonnes, bornes))
    if lues != fichier.lignes:
        raise LivraisonRefusee(
            f"{fichier.chemin.name} a {lues} lignes, le manifeste en dit {fichier.lignes}. Redemandez la livraison."
        )
    textes = ", ".join(f"{colonne} text DEFAULT ''" for colonne in toutes)
    curseur.execute(
        f"CREATE TEMP TABLE {table} (ligne bigint, empreinte uuid, ecart smallint, absente boolean DEFAULT false,"
        f" {textes})"
    )
    reconnues.reconnaitre(curseur, table, manifeste)
    ordre = f"COPY {table} (ligne, empreinte, ecart, {', '.join(colonnes)}) FROM STDIN"
    _verser(curseur, ordre, fichier, len(colonnes), reconnues.A_VERSER)
    curseur.execute(f"ANALYZE {table}")
    reconnues.ecarter_les_doubles(curseur, table)
    _verser(curseur, ordre, fichier, len(colonnes), reconnues.ECARTEES)


def nettoyer(curseur: CursorWrapper) -> None:
    """Ôte tout ce qui n'a servi qu'à cet import, et les vues qui en dépendent."""
    curseur.execute(
        "DROP TABLE recues, reconnues, ecartees, etape_allocataires, etape_dettes, rejets, avertissements,"
        " dettes_lues, restes, changees, cibles CASCADE"
    )


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


def _verser(curseur: CursorWrapper, ordre: str, fichier: FichierAnnonce, attendu: int, voulues: str) -> None:
    """Verse ces lignes du fichier ; une ligne trop courte ou trop longue garde son écart pour son rejet."""
    vides = [""] * attendu
    with ouvrir(fichier) as lecteur:
        lignes = iter(lecteur)
        for lot in reconnues.lister(curseur, voulues):
            with curseur.copy(ordre) as copie:
                for numero, empreinte in lot:
                    champs = decouper(next(texte for rang, texte in lignes if rang == numero))
                    largeur = len(champs)
                    if largeur != attendu:
                        champs = (champs + vides)[:attendu]
                    copie.write_row([numero, empreinte, min(largeur - attendu, 9999), *champs])
