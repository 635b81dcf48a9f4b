"""
Rendre à la Caf ce qui a été porté aux dettes : un fichier numéroté sans trou, réémis à l'identique (FICHIERS §4).

La base dit ce qui est parti ; le fichier n'en est que l'image. On l'écrit sous un nom de brouillon, on valide la
transaction, puis on lui donne son nom : une panne laisse un brouillon, que l'émission suivante achève ou efface.
"""

import hashlib
import json
import logging
import re
from contextlib import AbstractContextManager
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from comptes.models import Caf
from dettes.models import FichierEmis
from socle.attente import seul

logger = logging.getLogger(__name__)

VERSION = 1
PARIS = ZoneInfo("Europe/Paris")
COLONNES = (
    "caf;sequence;reference_paiement;date_paiement;date_imputation;"
    "numero;reference_dette;montant;sens;uuid_transaction"
)
BROUILLON = ".brouillon"

# Retenus d'abord, dans une table dont la base sait la taille : les lire un à un coûte deux fois plus que d'un trait.
RETENIR = """
CREATE TEMP TABLE lignes_du_fichier ON COMMIT DROP AS
SELECT m.id, m.dette_id, m.genre, m.montant, m.origine, m.le FROM dettes_mouvement m
"""
A_EMETTRE = f"""
{RETENIR} JOIN dettes_mouvementarendre r ON r.mouvement_id = m.id
WHERE r.caf_id = %s
  -- Un paiement d'essai ne part jamais comme un vrai, ni l'inverse.
  AND NOT EXISTS (
      SELECT FROM paiements_imputation i JOIN paiements_paiement p ON p.id = i.paiement_id
      WHERE i.mouvement_id = r.mouvement_id AND p.mode <> %s -- garde: mode_de_l_export
  )
ORDER BY m.id
"""
DEJA_EMISES = f"""
{RETENIR} JOIN dettes_ligneemise e ON e.mouvement_id = m.id
WHERE e.fichier_id = %s
ORDER BY m.id
"""
TOTAL = "SELECT -sum(montant) FROM lignes_du_fichier"
FAIRE_PARTIR = """
INSERT INTO dettes_ligneemise (mouvement_id, fichier_id) SELECT id, %s FROM lignes_du_fichier ORDER BY id
"""
# Dans l'ordre de COLONNES, en centimes, à l'heure de Paris ; l'imputation, ou sa reprise, dit le débit et sa date. Une
# référence de dette peut commencer par un tiret : un tableur la prendrait pour un calcul.
LIGNES = """
COPY (
    SELECT %s::text, %s::int, m.origine, (i.paye_le AT TIME ZONE 'Europe/Paris')::date,
           (m.le AT TIME ZONE 'Europe/Paris')::date, a.numero,
           CASE WHEN starts_with(d.reference, '-') THEN '''' || d.reference ELSE d.reference END,
           (abs(m.montant) * 100)::bigint, m.genre, i.debit_id
    FROM lignes_du_fichier m
    JOIN dettes_dette d ON d.id = m.dette_id
    JOIN comptes_allocataire a ON a.id = d.allocataire_id
    LEFT JOIN paiements_imputation i ON i.mouvement_id = m.id
    ORDER BY m.id
) TO STDOUT WITH (FORMAT csv, DELIMITER ';')
"""


class EmissionImpossible(Exception):
    """Le fichier demandé ne peut pas être écrit ; le message dit pourquoi."""


def get_nom(fichier: FichierEmis) -> str:
    """Le nom du fichier, le même à chaque réémission."""
    return f"encaissements_{fichier.caf_id}_{fichier.sequence:06d}.csv"


def emettre(caf: Caf, dossier: Path, *, essai: bool = False, plancher: int | None = None) -> FichierEmis | None:
    """
    Écrit dans `dossier` les imputations et les rejets pas encore partis, et rend le fichier émis, ou rien.

    Chaque mouvement part une fois, dans un seul fichier ; sans mouvement, aucune séquence n'est consommée. Une
    émission interrompue est d'abord achevée. Un essai compte, et n'écrit rien.

    :param plancher: le dernier numéro que la Caf a reçu, quand la base l'a oublié
    :raises EmissionImpossible: si une autre émission de cette Caf est en cours, ou si le dossier tient un fichier que
        la base ne connaît pas : elle vient d'une sauvegarde, et son prochain numéro a déjà servi
    """
    with _reserver(caf):
        _verifier_la_suite(caf, dossier, plancher)
        if not essai:
            _achever(caf, dossier)
        with transaction.atomic():
            fichier = _consigner(caf, plancher or 0)
            if fichier and not essai:
                fichier.empreinte = _ecrire_brouillon(fichier, dossier)
                fichier.save(update_fields=["empreinte"])
            transaction.set_rollback(essai)
        if fichier is None:
            return None
        if not essai:
            _publier(fichier, dossier)
            logger.info("encaissements émis", extra={"fichier": get_nom(fichier), "lignes": fichier.lignes})
        return fichier


def reemettre(caf: Caf, sequence: int, dossier: Path) -> FichierEmis:
    """
    Réécrit un fichier déjà émis, octet pour octet.

    :raises EmissionImpossible: s'il n'a jamais été émis, ou si la base ne rend plus la même empreinte
    """
    fichier = FichierEmis.objects.filter(caf=caf, sequence=sequence).first()
    if fichier is None:
        raise EmissionImpossible(f"le fichier d'encaissements {caf.pk} n° {sequence} n'a jamais été émis.")
    with _reserver(caf):
        _reecrire(fichier, dossier)
    return fichier


def _reecrire(fichier: FichierEmis, dossier: Path) -> None:
    with transaction.atomic():
        _retenir(DEJA_EMISES, [fichier.pk])
        empreinte = _ecrire_brouillon(fichier, dossier)
    if empreinte != fichier.empreinte:
        _get_brouillon(fichier, dossier).unlink()
        raise EmissionImpossible(
            f"{get_nom(fichier)} ne se réécrit plus à l'identique : la base a changé. Rien n'est écrit, alertez."
        )
    _publier(fichier, dossier)


def _reserver(caf: Caf) -> AbstractContextManager[None]:
    """Une émission à la fois pour une Caf, de la base au fichier : deux ne se partagent pas un brouillon."""
    refus = EmissionImpossible(f"une autre émission de la Caf {caf.pk} est en cours. Attendez sa fin.")
    return seul(f"encaissements {caf.pk}", refus)


def get_derniere(caf: Caf) -> int:
    """Le dernier numéro que la base a émis pour cette Caf ; 0 si aucun."""
    return FichierEmis.objects.filter(caf=caf).aggregate(n=Max("sequence"))["n"] or 0


def lister_les_oublies(caf: Caf, dossier: Path) -> list[tuple[int, Path]]:
    """Les fichiers publiés dans ce dossier que la base ne connaît pas, du plus ancien au plus récent."""
    connus = set(FichierEmis.objects.filter(caf=caf).values_list("sequence", flat=True))
    trouves = (
        (int(numero[1]), chemin)
        for chemin in dossier.glob(f"encaissements_{caf.pk}_*.csv")
        if (numero := re.fullmatch(r"encaissements_\w{3}_(\d{6,})\.csv", chemin.name))
    )
    return sorted((numero, chemin) for numero, chemin in trouves if numero not in connus)


def _verifier_la_suite(caf: Caf, dossier: Path, plancher: int | None) -> None:
    """Un numéro publié ne se reprend jamais : la Caf le croirait déjà pris, ou le déduirait deux fois (ADR 0055)."""
    oublies = lister_les_oublies(caf, dossier)
    if oublies and (plancher is None or plancher < oublies[-1][0]):  # garde: fichier_publie_inconnu
        raise EmissionImpossible(
            f"{oublies[-1][1].name} est publié, et cette base ne connaît que le n° {get_derniere(caf)} : elle vient"
            " d'une sauvegarde. Ce fichier dit ce que la Caf a déjà reçu : lancez reprendre_encaissements. S'il est"
            f" perdu pour de bon, donnez --plancher {oublies[-1][0]}, le dernier numéro que la Caf a reçu."
        )
    retenu = _lire_la_marque(caf, dossier)
    if retenu > max(get_derniere(caf), plancher or 0):  # garde: marque_du_dernier_publie
        raise EmissionImpossible(
            f"ce dossier a déjà publié le n° {retenu}, et cette base ne connaît que le n° {get_derniere(caf)} : elle"
            " vient d'une sauvegarde. Remettez-y les fichiers pris par la Caf et lancez reprendre_encaissements ;"
            f" s'ils sont perdus, donnez --plancher {retenu}, le dernier numéro que la Caf a reçu."
        )


def _get_marque(caf: Caf, dossier: Path) -> Path:
    return dossier / f".dernier_{caf.pk}"


def _lire_la_marque(caf: Caf, dossier: Path) -> int:
    """Le dernier numéro publié dans ce dossier, même si les fichiers en sont partis."""
    marque = _get_marque(caf, dossier)
    texte = marque.read_text(encoding="ascii").strip() if marque.exists() else ""
    return int(texte) if texte.isdigit() else 0


def _consigner(caf: Caf, plancher: int) -> FichierEmis | None:
    """Prend le numéro suivant et y range les mouvements à rendre, comptés ; rien à rendre, rien n'est pris."""
    lignes = _retenir(A_EMETTRE, [caf.pk, settings.PAYZEN_MODE]) if caf.a_rendre.exists() else 0
    if not lignes:
        return None
    with connection.cursor() as curseur:
        curseur.execute(TOTAL)
        (total,) = curseur.fetchone()
        fichier = FichierEmis.objects.create(
            caf=caf, sequence=max(get_derniere(caf), plancher) + 1, plancher=plancher, lignes=lignes, total=total
        )
        curseur.execute(FAIRE_PARTIR, [fichier.pk])
    return fichier


def _retenir(ordre: str, valeurs: list[str | int]) -> int:
    """Retient les lignes d'un fichier, le temps de l'écrire ; rend combien."""
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL statement_timeout = 0; DROP TABLE IF EXISTS pg_temp.lignes_du_fichier")
        curseur.execute(ordre, valeurs)
        lignes: int = curseur.rowcount
        curseur.execute("ANALYZE lignes_du_fichier")
    return lignes


def _achever(caf: Caf, dossier: Path) -> None:
    """Donne leur nom aux fichiers validés qu'une panne a laissés en brouillon ; efface ceux qui ne le sont pas."""
    for brouillon in sorted(dossier.glob(f".encaissements_{caf.pk}_*{BROUILLON}")):
        numero = re.search(r"_(\d+)\.", brouillon.name)
        emis = FichierEmis.objects.filter(caf=caf, sequence=int(numero[1])).first() if numero else None
        if emis is None:
            brouillon.unlink()
        else:
            _reecrire(emis, dossier)


def _get_brouillon(fichier: FichierEmis, dossier: Path) -> Path:
    return dossier / f".{get_nom(fichier)}{BROUILLON}"


def _ecrire_brouillon(fichier: FichierEmis, dossier: Path) -> str:
    """Écrit en flux les lignes retenues, et rend leur empreinte SHA-256."""
    dossier.mkdir(parents=True, exist_ok=True)
    empreinte = hashlib.sha256()
    with _get_brouillon(fichier, dossier).open("wb") as flux, connection.cursor() as curseur:
        entete = f"{COLONNES}\n".encode()
        empreinte.update(entete)
        flux.write(entete)
        with curseur.copy(LIGNES, [fichier.caf_id, fichier.sequence]) as copie:
            for bloc in copie:
                empreinte.update(bloc)
                flux.write(bloc)
    return empreinte.hexdigest()


def _publier(fichier: FichierEmis, dossier: Path) -> None:
    """Donne son nom au fichier, puis pose son manifeste : qui voit le manifeste trouve le fichier entier."""
    manifeste = {
        "version": VERSION,
        "caf": fichier.caf_id,
        "sequence": fichier.sequence,
        "emis_le": fichier.emis_le.astimezone(PARIS).isoformat(),
        "fichiers": [
            {
                "nom": get_nom(fichier),
                "lignes": fichier.lignes,
                "sha256": fichier.empreinte,
                "total": int(fichier.total * 100),
            }
        ],
    }
    final = dossier / get_nom(fichier)
    brouillon = _get_brouillon(fichier, dossier)
    if final.exists() and hash_file(final) != fichier.empreinte:  # garde: publie_ne_s_ecrase_pas
        brouillon.unlink()
        raise EmissionImpossible(
            f"{final.name} est déjà publié avec un autre contenu : il ne s'écrase pas. Comparez les deux."
        )
    provisoire = final.with_name(f".{final.stem}.json{BROUILLON}")
    provisoire.write_text(json.dumps(manifeste, indent=2) + "\n", encoding="utf-8")
    brouillon.replace(final)
    provisoire.replace(final.with_suffix(".json"))
    if fichier.sequence > _lire_la_marque(fichier.caf, dossier):
        _get_marque(fichier.caf, dossier).write_text(f"{fichier.sequence}\n", encoding="ascii")


def hash_file(chemin: Path) -> str:
    """L'empreinte SHA-256 d'un fichier."""
    with chemin.open("rb") as flux:
        return hashlib.file_digest(flux, "sha256").hexdigest()
