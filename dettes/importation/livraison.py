"""Prendre une livraison : tout contrôler, tout écrire en une transaction, ou rien."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Max

from comptes.models import Caf
from dettes.importation import application, barriere, dossiers, etape, regles, rejets
from dettes.importation.bilan import Bilan
from dettes.importation.manifeste import FichierAnnonce, LivraisonRefusee, Manifeste, read_manifeste
from dettes.models import FichierEmis, FichierRecu
from dettes.plausibilite import get_plausibilite

logger = logging.getLogger(__name__)

REJETS_MONTRES = 20

CompteRendu = dict[str, Any]


class Options(NamedTuple):
    """
    Ce que la personne qui importe décide.

    seuil : part des lignes d'un fichier que l'on accepte de rejeter, entre 0 et 1
    ou_rejeter : dossier des fichiers de rejets et d'avertissements
    ecarts_acceptes : le chiffre confirmé de chaque écart (`barriere`), par son nom
    """

    seuil: Decimal = settings.IMPORT_SEUIL_REJETS
    ou_rejeter: Path = Path(settings.IMPORT_REJETS)
    ecarts_acceptes: Mapping[str, str] = MappingProxyType({})


def importer(dossier: Path, *, essai: bool = False, **options: Any) -> CompteRendu:
    """
    Prend la livraison d'un dossier et rend son compte rendu : lus, créés, changés, inchangés, rejetés, durée.

    La même livraison deux fois ne fait rien. Un essai fait tout, montre tout, et n'écrit que le fichier des rejets.

    :param options: celles de `Options`
    :raises LivraisonRefusee: au premier écart ; rien n'est écrit, sauf le fichier des rejets qui l'explique
    """
    debut = time.monotonic()
    manifeste = read_manifeste(dossier)
    compte_rendu: CompteRendu = {
        "dossier": str(dossier),
        "caf": manifeste.caf,
        "sequence": manifeste.sequence,
        "mode": manifeste.mode,
        "issue": "essai" if essai else "prise",
    }
    with transaction.atomic(), connection.cursor() as curseur:
        caf = _reserver(curseur, manifeste)
        if FichierRecu.objects.filter(caf=caf, empreinte=manifeste.empreinte).exists():
            return compte_rendu | {"issue": "deja_prise"}
        _verifier_suite(caf, manifeste)
        for fichier in (manifeste.allocataires, manifeste.dettes):
            etape.verifier_empreinte(fichier)
        fichier_recu = _consigner(caf, manifeste)
        compte_rendu |= _prendre(curseur, manifeste, fichier_recu, Options(**options))
        compte_rendu["duree_s"] = round(time.monotonic() - debut, 2)
        fichier_recu.compte_rendu = compte_rendu
        fichier_recu.save(update_fields=["compte_rendu"])
        transaction.set_rollback(essai)
    logger.info("livraison lue", extra={cle: compte_rendu[cle] for cle in ("caf", "sequence", "issue", "duree_s")})
    return compte_rendu


def _reserver(curseur: CursorWrapper, manifeste: Manifeste) -> Caf:
    """Trouve la Caf et réserve ses imports à cette transaction, qui n'a pas les délais du web."""
    caf = Caf.objects.filter(pk=manifeste.caf).first()
    if caf is None:
        raise LivraisonRefusee(
            f"la Caf « {manifeste.caf[:10]} » est inconnue. Chargez les Caf (manage.py charger_cafs), puis relancez."
        )
    curseur.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    # Des contrôles différés par milliers ralentissent chaque déclencheur : à 100 000 dettes, des minutes au lieu de
    # secondes. Tout est écrit dans l'ordre, rien n'a besoin d'attendre.
    curseur.execute("SET LOCAL lock_timeout = '60s'; SET CONSTRAINTS ALL IMMEDIATE")
    curseur.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('livraison ' || %s, 0))", [caf.pk])
    if not curseur.fetchone()[0]:
        raise LivraisonRefusee(f"un autre import de la Caf {caf.pk} est en cours. Attendez sa fin, puis relancez.")
    return caf


def _verifier_suite(caf: Caf, manifeste: Manifeste) -> None:
    """La livraison suit la précédente, et ne déduit que des encaissements que nous avons émis."""
    derniere = FichierRecu.objects.filter(caf=caf).aggregate(n=Max("sequence"))["n"] or 0
    if FichierRecu.objects.filter(caf=caf, sequence=manifeste.sequence).exists():
        raise LivraisonRefusee(
            f"la séquence {manifeste.sequence} est déjà prise, avec un autre contenu. Demandez à la Caf laquelle vaut."
        )
    if manifeste.sequence != derniere + 1:
        raise LivraisonRefusee(
            f"séquence {manifeste.sequence} reçue, {derniere + 1} attendue. Prenez les livraisons dans l'ordre."
        )
    emise = FichierEmis.objects.filter(caf=caf).aggregate(n=Max("sequence"))["n"] or 0
    if manifeste.derniere_sequence_encaissements > emise:
        raise LivraisonRefusee(
            f"la Caf dit avoir déduit nos encaissements n° {manifeste.derniere_sequence_encaissements}, mais le"
            f" dernier émis est le n° {emise}. Vérifiez que cette livraison est bien pour ce service."
        )


def _consigner(caf: Caf, manifeste: Manifeste) -> FichierRecu:
    return FichierRecu.objects.create(
        caf=caf,
        sequence=manifeste.sequence,
        empreinte=manifeste.empreinte,
        arrete_le=manifeste.arrete_le,
        mode=manifeste.mode,
        derniere_sequence_encaissements=manifeste.derniere_sequence_encaissements,
        somme_soldes=Decimal(manifeste.dettes.somme_soldes).scaleb(-2),
    )


def _prendre(curseur: CursorWrapper, manifeste: Manifeste, fichier_recu: FichierRecu, options: Options) -> CompteRendu:
    """Verse, contrôle, rejette, vide, regarde si c'est plausible, applique ; rend les comptes."""
    seuils = get_plausibilite(fichier_recu.caf)
    bornes = regles.get_bornes(manifeste, seuils)
    etape.charger(curseur, "etape_allocataires", manifeste.allocataires, manifeste, bornes)
    etape.charger(curseur, "etape_dettes", manifeste.dettes, manifeste, bornes)
    _verifier_somme(curseur, manifeste.dettes)
    rejets.preparer(curseur)
    allocataires = Bilan(lus=manifeste.allocataires.lignes)
    dettes = Bilan(lus=manifeste.dettes.lignes)
    allocataires.rejetes = _trier(curseur, "etape_allocataires", bornes)
    comptes = dossiers.appliquer_allocataires(curseur, manifeste, allocataires)
    dettes.rejetes = _trier(curseur, "etape_dettes", bornes)
    fichier = rejets.ecrire(curseur, options.ou_rejeter, manifeste)
    rejets.verifier_seuil(manifeste.allocataires, allocataires.rejetes, options.seuil)
    rejets.verifier_seuil(manifeste.dettes, dettes.rejetes, options.seuil)
    meconnaissables = application.preparer_dettes(curseur, manifeste)
    if manifeste.version > 1:
        rejets.avertir_des_deductions(curseur)
        rejets.oublier_les_empreintes(curseur, "etape_dettes", "dettes_lues")
    acceptes = barriere.verifier(curseur, manifeste, seuils, options.ecarts_acceptes)
    details = application.appliquer_dettes(curseur, manifeste, fichier_recu, dettes)
    compte_rendu = {
        "allocataires": _compter(allocataires) | {"comptes_ouverts": comptes},
        "dettes": _compter(dettes) | details | {"rejets_meconnaissables": meconnaissables},
        "rejets": rejets.montrer(curseur, "rejets", REJETS_MONTRES),
        "avertis": rejets.compter_les_avertissements(curseur),
        "avertissements": rejets.montrer(curseur, "avertissements", REJETS_MONTRES),
        "fichier_rejets": str(fichier) if fichier else None,
        "ecarts_acceptes": acceptes,
    }
    etape.nettoyer(curseur)
    return compte_rendu


def _trier(curseur: CursorWrapper, table: str, bornes: Mapping[str, Any]) -> int:
    """Nettoie, rejette, puis vide ce qui est facultatif et inutilisable ; rend le nombre de lignes rejetées."""
    obligatoires, facultatifs = regles.PAR_TABLE[table]
    rejets.nettoyer_les_textes(curseur, table)
    rejetees = rejets.rejeter(curseur, table, obligatoires, bornes)
    rejets.vider_les_facultatifs(curseur, table, facultatifs, bornes)
    rejets.oublier_les_empreintes(curseur, table, table)
    return rejetees


def _verifier_somme(curseur: CursorWrapper, fichier: FichierAnnonce) -> None:
    """La somme des soldes lisibles est celle que la Caf annonce, au centime."""
    curseur.execute(
        "SELECT coalesce(sum(solde::bigint) FILTER (WHERE solde ~ '^-?[0-9]{1,15}$'), 0)"
        " + (SELECT coalesce(sum(solde) * 100, 0) FROM reconnues) FROM etape_dettes"
    )
    somme = int(curseur.fetchone()[0])
    if somme != fichier.somme_soldes:  # garde: somme_annoncee
        raise LivraisonRefusee(
            f"{fichier.chemin.name} : la somme des soldes est de {somme} centimes, le manifeste en annonce"
            f" {fichier.somme_soldes}. Redemandez la livraison."
        )


def _compter(bilan: Bilan) -> dict[str, int]:
    return asdict(bilan) | {"inchanges": bilan.inchanges}
