"""
Les journaux en CSV (PROTOCOLE §8) : JT transactions, JO opérations, JRB rapprochement bancaire, JRI impayés.

Colonnes 09 à 19 du JT, 22 et suivantes du JRB et suite du JRI : non publiées, les nôtres portent leur nom en ENTETE.
Séparateur « ; », un enregistrement par ligne, « ; » final, ISO-8859-1, montants en centimes, dates UTC.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path

from django.conf import settings

from .banque import CONTRAT
from .models import Boutique, Transaction

SIRET = "012345678901234"


@dataclass(frozen=True)
class Journal:
    """Un genre de journal : ses colonnes, et la ligne d'une transaction pour chaque date qui l'y rattache."""

    modele: str
    genre: str
    colonnes: tuple[str, ...]
    ligne_par_date: dict[str, Callable[[Transaction], list[object]]]
    has_fin: bool


def date_utc(moment: datetime | None, forme: str) -> str:
    """Une date en UTC, ou rien."""
    return moment.astimezone(UTC).strftime(forme) if moment else ""


def get_montant_d_origine(t: Transaction) -> int:
    """Celui du formulaire pour le débit d'un formulaire, même baissé depuis ; en centimes."""
    return t.session.montant if t.origine == "CHARGE" else t.montant


def ligne_jt(t: Transaction) -> list[object]:
    """Une transaction du JT ; le montant d'origine est celui du formulaire."""
    return [
        t.trans_id,
        SIRET,
        "CARD",
        CONTRAT,
        t.operation,
        get_montant_d_origine(t),
        t.montant,
        "978",
        date_utc(t.creee_le, "%Y%m%d"),
        date_utc(t.creee_le, "%H%M%S"),
        f"{t.carte['annee']}{t.carte['mois']:02d}",
        t.carte["marque"],
        t.carte["masque"],
        t.autorisation,
        t.code,
        t.order_id,
        t.uuid,
        t.session.champs.get("vads_cust_id", ""),
        t.statut,
    ]


def ligne_jo(t: Transaction) -> list[object]:
    """Une opération : le nom en est celui de son sens."""
    return [
        SIRET,
        date_utc(t.creee_le, "%Y%m%d"),
        t.trans_id,
        1,
        t.operation,
        t.montant,
        "978",
        date_utc(t.creee_le, "%y%m%d"),
    ]


def ligne_jrb(t: Transaction) -> list[object]:
    """Une opération remise en banque : DT pour un débit, CT pour un crédit ; commission nulle."""
    infos = "|".join(t.session.champs.get(f"vads_order_info{n}", "") for n in ("", "2", "3"))
    return [
        "FRA",
        SIRET,
        CONTRAT,
        date_utc(t.creee_le, "%Y%m%d"),
        t.trans_id,
        get_montant_d_origine(t),
        "978",
        t.carte["marque"],
        t.order_id,
        infos.strip("|"),
        t.session.champs.get("vads_cust_id", ""),
        "DT" if t.operation == "DEBIT" else "CT",
        1,
        date_utc(t.remise_le, "%Y%m%d"),
        date_utc(t.remise_le, "%H%M%S"),
        t.montant,
        "MATCH_OK",
        t.numero_remise,
        t.montant,
        0,
    ]


def ligne_jri(t: Transaction, *, fini: bool) -> list[object]:
    """Un impayé (D), ou sa fin : la banque rend l'argent (C)."""
    return [
        "FRA",
        SIRET,
        CONTRAT,
        date_utc(t.creee_le, "%Y%m%d"),
        t.trans_id,
        "C" if fini else "D",
        t.montant,
        SIRET,
        "45",
        t.order_id,
        date_utc(t.impaye_fini_le if fini else t.impayee_le, "%Y%m%d"),
    ]


JOURNAUX = {
    "JT": Journal(
        "TABLE_V_CUSTOM",
        "TRANSACTION",
        (
            "TRANSACTION_ID",
            "MERCHANT_ID",
            "PAYMENT_MEANS",
            "CONTRACT",
            "TRANSACTION_TYPE",
            "ORIGIN_AMOUNT",
            "AMOUNT",
            "CURRENCY_CODE",
            "PAYMENT_DATE",
            "PAYMENT_TIME",
            "CARD_VALIDITY",
            "CARD_TYPE",
            "CARD_NUMBER",
            "AUTHORISATION_ID",
            "RESPONSE_CODE",
            "ORDER_ID",
            "TRANSACTION_UUID",
            "CUSTOMER_ID",
            "TRANSACTION_STATUS",
        ),
        {"creee_le": ligne_jt},
        has_fin=False,
    ),
    "JO": Journal(
        "TABLE_V3",
        "OPERATION",
        (
            "MERCHANT_ID",
            "PAYMENT_DATE",
            "TRANSACTION_ID",
            "OPERATION_SEQUENCE",
            "OPERATION_NAME",
            "OPERATION_AMOUNT",
            "OPERATION_CURRENCY",
            "OPERATION_DATE",
        ),
        {"creee_le": ligne_jo},
        has_fin=True,
    ),
    "JRB": Journal(
        "TABLE_V1",
        "MATCHING",
        (
            "MERCHANT_COUNTRY",
            "MERCHANT_ID",
            "CONTRACT",
            "PAYMENT_DATE",
            "TRANSACTION_ID",
            "ORIGIN_AMOUNT",
            "CURRENCY_CODE",
            "CARD_TYPE",
            "ORDER_ID",
            "RETURN_CONTEXT",
            "CUSTOMER_ID",
            "OPERATION_TYPE",
            "OPERATION_NUMBER",
            "REMITTANCE_DATE",
            "REMITTANCE_TIME",
            "BRUT_AMOUNT",
            "MATCH_STATUS",
            "REMITTANCE_NB",
            "NET_AMOUNT",
            "COMMISSION_AMOUNT",
        ),
        {"remise_le": ligne_jrb},
        has_fin=True,
    ),
    "JRI": Journal(
        "V1",
        "DETAIL",
        (
            "MERCHANT_COUNTRY",
            "MERCHANT_ID",
            "CONTRACT",
            "PAYMENT_DATE",
            "TRANSACTION_ID",
            "OPERATION_TYPE",
            "SOURCE_AMOUNT",
            "SIRET",
            "REASON_CODE",
            "ORDER_ID",
            "UNPAID_DATE",
        ),
        {"impayee_le": partial(ligne_jri, fini=False), "impaye_fini_le": partial(ligne_jri, fini=True)},
        has_fin=True,
    ),
}


def nommer(genre: str, boutique: Boutique, mode: str, jour: date) -> str:
    """Nom du fichier : `TEST_JT_SHOP_12345678_261123.csv`."""
    prefixe = "TEST_" if mode == "TEST" else ""
    return f"{prefixe}{genre}_SHOP_{boutique.pk}_{jour:%y%m%d}.csv"


def ecrire(genre: str, boutique: Boutique, mode: str, jour: date) -> bytes:
    """
    Rend un journal du jour (UTC), vide s'il n'y a rien.

    :raises KeyError: genre inconnu
    """
    journal = JOURNAUX[genre]
    bornes = [datetime.combine(jour, heure, UTC) for heure in (time.min, time.max)]
    titre: list[object] = ["TITRE", boutique.nom, date_utc(boutique.maintenant(), "%y/%m/%d_%H:%M:%S"), journal.modele]
    if genre == "JRI":
        titre.append("LES IMPAYÉS RAPPROCHÉS DU JOUR")
    lignes = [titre, ["ENTETE", *journal.colonnes]]
    for champ, ligne in journal.ligne_par_date.items():
        du_jour = Transaction.objects.filter(boutique=boutique, mode=mode, **{f"{champ}__range": bornes})
        lignes += [[journal.genre, *ligne(t)] for t in du_jour.select_related("session").order_by("creee_le")]
    if journal.has_fin:
        lignes.append(["FIN"])
    return "".join(map(assembler, lignes)).encode("iso-8859-1", "replace")


def deposer(boutique: Boutique, jour: date) -> list[str]:
    """
    Dépose les quatre journaux d'un jour (UTC) là où la boutique les prend, vides compris ; rend leurs noms.

    Une reprise écrase le fichier du même jour. Sans `SIMULATEUR_JOURNAUX`, rien ne se dépose.
    """
    if not settings.JOURNAUX:
        return []
    dossier = Path(settings.JOURNAUX)
    dossier.mkdir(parents=True, exist_ok=True)
    deposes = []
    for genre in JOURNAUX:
        for mode in {"TEST", *boutique.transactions.values_list("mode", flat=True)}:
            nom = nommer(genre, boutique, mode, jour)
            provisoire = dossier / f".{nom}.brouillon"
            provisoire.write_bytes(ecrire(genre, boutique, mode, jour))
            provisoire.replace(dossier / nom)
            deposes.append(nom)
    return deposes


def assembler(valeurs: Iterable[object]) -> str:
    """Une ligne ; ce qui casserait le format est remplacé par une espace."""
    propres = [str("" if valeur is None else valeur).replace(";", " ").replace("\n", " ") for valeur in valeurs]
    return ";".join(propres) + ";\r\n"
