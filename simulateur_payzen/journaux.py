"""
Les journaux en CSV (PROTOCOLE §8) : JT transactions, JRB rapprochement bancaire, JRI impayés.

Colonnes 09 à 19 du JT, 22 et suivantes du JRB et suite du JRI : non publiées, les nôtres portent leur nom en ENTETE.
Séparateur « ; », un enregistrement par ligne, « ; » final, ISO-8859-1, montants en centimes, dates UTC.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from .banque import CONTRAT
from .models import Boutique, Transaction

SIRET = "012345678901234"


@dataclass(frozen=True)
class Journal:
    """Un genre de journal : ses colonnes, sa date de rattachement, une ligne par transaction."""

    modele: str
    genre: str
    colonnes: tuple[str, ...]
    jour_de: str
    ligne: Callable[[Transaction], list[object]]
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


def ligne_jri(t: Transaction) -> list[object]:
    """Un impayé."""
    return [
        "FRA",
        SIRET,
        CONTRAT,
        date_utc(t.creee_le, "%Y%m%d"),
        t.trans_id,
        "D",
        t.montant,
        SIRET,
        "45",
        t.order_id,
        date_utc(t.impayee_le, "%Y%m%d"),
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
        "creee_le",
        ligne_jt,
        has_fin=False,
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
        "remise_le",
        ligne_jrb,
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
        "impayee_le",
        ligne_jri,
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
    bornes = {f"{journal.jour_de}__range": [datetime.combine(jour, heure, UTC) for heure in (time.min, time.max)]}
    du_jour = Transaction.objects.filter(boutique=boutique, mode=mode, **bornes)
    titre: list[object] = ["TITRE", boutique.nom, date_utc(boutique.maintenant(), "%y/%m/%d_%H:%M:%S"), journal.modele]
    if genre == "JRI":
        titre.append("LES IMPAYÉS RAPPROCHÉS DU JOUR")
    lignes = [titre, ["ENTETE", *journal.colonnes]]
    lignes += [[journal.genre, *journal.ligne(t)] for t in du_jour.select_related("session").order_by("creee_le")]
    if journal.has_fin:
        lignes.append(["FIN"])
    return "".join(map(assembler, lignes)).encode("iso-8859-1", "replace")


def assembler(valeurs: Iterable[object]) -> str:
    """Une ligne ; ce qui casserait le format est remplacé par une espace."""
    propres = [str("" if valeur is None else valeur).replace(";", " ").replace("\n", " ") for valeur in valeurs]
    return ";".join(propres) + ";\r\n"
