"""
Après une restauration : reprendre les fichiers d'encaissements publiés que la base a oubliés (docs/adr/0055).

Le fichier publié fait foi : la Caf l'a peut-être déjà déduit. Chacune de ses lignes retrouve le mouvement qu'elle
annonçait, une fois les paiements revenus ; sans quoi ce mouvement repartirait dans un autre numéro, et la Caf le
déduirait deux fois.
"""

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from django.db import transaction

from comptes.models import Caf
from dettes.encaissements import hash_file, lister_les_oublies
from dettes.models import FichierEmis, LigneEmise, Mouvement


class RepriseImpossible(Exception):
    """Un fichier publié ne se reprend pas encore ; le message dit ce qui manque."""


def reprendre(caf: Caf, dossier: Path) -> Iterator[FichierEmis]:
    """
    Reprend, un à un et dans l'ordre, chaque fichier publié que la base ne connaît pas.

    :raises RepriseImpossible: au premier dont une ligne n'a pas son mouvement ; ceux d'avant restent repris
    """
    for sequence, chemin in lister_les_oublies(caf, dossier):
        yield _reprendre_un_fichier(caf, sequence, chemin)


def lire_les_publies(caf: Caf, dossier: Path) -> dict[str, dict[str, Decimal]]:
    """
    Ce que les fichiers publiés que la base a oubliés disent imputé : par paiement, les euros de chaque débit.

    Repris puis imputé de nouveau, un débit ne compte qu'une fois : le plus qu'il a porté.
    """
    portes: dict[tuple[str, str], Decimal] = {}
    publies: dict[str, dict[str, Decimal]] = {}
    for _, chemin in lister_les_oublies(caf, dossier):
        with chemin.open(encoding="utf-8", newline="") as flux:
            for ligne in csv.DictReader(flux, delimiter=";"):
                paiement, debit = ligne["reference_paiement"], ligne["uuid_transaction"]
                sens = 1 if ligne["sens"] == Mouvement.Genre.IMPUTATION else -1
                porte = portes.get((paiement, debit), Decimal(0)) + sens * Decimal(ligne["montant"]).scaleb(-2)
                portes[paiement, debit] = porte
                debits = publies.setdefault(paiement, {})
                debits[debit] = max(debits.get(debit, Decimal(0)), porte)
    return publies


@transaction.atomic
def _reprendre_un_fichier(caf: Caf, sequence: int, chemin: Path) -> FichierEmis:
    empreinte = hash_file(chemin)
    _verifier_le_manifeste(chemin, empreinte)
    with chemin.open(encoding="utf-8", newline="") as flux:
        lignes = list(csv.DictReader(flux, delimiter=";"))
    mouvements = [_trouver(caf, ligne) for ligne in _par_mouvement(lignes)]
    manquants = [ligne["reference_paiement"] for ligne, trouve in zip(lignes, mouvements, strict=True) if not trouve]
    if manquants:  # garde: ligne_publiee_a_son_mouvement
        raise RepriseImpossible(
            f"{chemin.name} : {len(manquants)} ligne(s) sur {len(lignes)} sans leur imputation, d'abord celle du"
            f" paiement {manquants[0]}. Ramenez les paiements (lire_journaux, interroger_payzen --journaux), prenez"
            " les livraisons perdues, attendez que tout soit imputé, puis relancez."
        )
    trouves = [mouvement for mouvement in mouvements if mouvement is not None]
    if len({mouvement.pk for mouvement in trouves}) != len(lignes):
        raise RepriseImpossible(f"{chemin.name} : deux de ses lignes annoncent le même mouvement. Alertez.")
    total = -sum((mouvement.montant for mouvement in trouves), Decimal(0))
    fichier = FichierEmis.objects.create(
        caf=caf, sequence=sequence, empreinte=empreinte, lignes=len(lignes), total=total
    )
    LigneEmise.objects.bulk_create(LigneEmise(fichier=fichier, mouvement=mouvement) for mouvement in trouves)
    return fichier


def _verifier_le_manifeste(chemin: Path, empreinte: str) -> None:
    try:
        manifeste = json.loads(chemin.with_suffix(".json").read_text(encoding="utf-8"))
        annoncee = manifeste["fichiers"][0]["sha256"]
    except (OSError, ValueError, LookupError, TypeError) as erreur:
        raise RepriseImpossible(f"{chemin.name} n'a pas son manifeste : il n'a pas été publié en entier.") from erreur
    if annoncee != empreinte:  # garde: publie_n_a_pas_change
        raise RepriseImpossible(f"{chemin.name} n'a pas l'empreinte de son manifeste : il a changé depuis. Alertez.")


def _par_mouvement(lignes: list[dict[str, str]]) -> list[dict[str, str]]:
    """Chaque ligne, et son rang parmi celles qui se ressemblent en tout : la deuxième est un deuxième mouvement."""
    vues: dict[tuple[str, ...], int] = {}
    for ligne in lignes:
        cle = tuple(ligne[nom] for nom in ("reference_paiement", "reference_dette", "montant", "sens"))
        ligne["rang"] = str(vues.get(cle, 0))
        vues[cle] = vues.get(cle, 0) + 1
    return lignes


def _trouver(caf: Caf, ligne: dict[str, str]) -> Mouvement | None:
    sens = 1 if ligne["sens"] == Mouvement.Genre.REJET else -1
    rang = int(ligne["rang"])
    mouvements = Mouvement.objects.filter(
        dette__caf=caf,
        dette__reference=ligne["reference_dette"].removeprefix("'"),
        genre=ligne["sens"],
        montant=Decimal(ligne["montant"]).scaleb(-2) * sens,
        origine=ligne["reference_paiement"],
        ligne_emise=None,  # garde: mouvement_une_fois
    )
    return next(iter(mouvements.order_by("pk")[rang : rang + 1]), None)
