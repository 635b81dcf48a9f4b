"""Des journaux tels que la plateforme les écrit (PROTOCOLE §8), composés pour un essai."""

import hashlib
from collections.abc import Iterable
from typing import Any

from paiements.models import Paiement
from paiements.payzen import to_centimes

JT = [
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
    "CARD_NUMBER",
    "ORDER_ID",
    "TRANSACTION_UUID",
    "TRANSACTION_STATUS",
]
JO = [
    "MERCHANT_ID",
    "PAYMENT_DATE",
    "TRANSACTION_ID",
    "OPERATION_SEQUENCE",
    "OPERATION_NAME",
    "OPERATION_AMOUNT",
    "OPERATION_CURRENCY",
]
JRB = [
    "MERCHANT_COUNTRY",
    "PAYMENT_DATE",
    "TRANSACTION_ID",
    "ORIGIN_AMOUNT",
    "CURRENCY_CODE",
    "ORDER_ID",
    "OPERATION_TYPE",
    "REMITTANCE_DATE",
    "REMITTANCE_TIME",
    "BRUT_AMOUNT",
    "MATCH_STATUS",
]
JRI = [
    "MERCHANT_COUNTRY",
    "PAYMENT_DATE",
    "TRANSACTION_ID",
    "OPERATION_TYPE",
    "SOURCE_AMOUNT",
    "REASON_CODE",
    "UNPAID_DATE",
]
COMMUNES = {
    "TRANSACTION_ID": "ab12cd",
    "TRANSACTION_TYPE": "DEBIT",
    "TRANSACTION_STATUS": "AUTHORISED",
    "CURRENCY_CODE": "978",
    "OPERATION_CURRENCY": "978",
    "PAYMENT_DATE": "20261127",
    "PAYMENT_TIME": "101500",
    "CARD_NUMBER": "497010XXXXXX0055",
    "REMITTANCE_DATE": "20261127",
    "REMITTANCE_TIME": "223000",
    "MATCH_STATUS": "MATCH_OK",
    "REASON_CODE": "45",
    "UNPAID_DATE": "20261127",
}
Fichier = tuple[str, bytes]


def UUID(paiement: Paiement) -> str:  # noqa: N802 (comme une constante, par paiement)
    """Celui de `FaitFactory`."""
    return hashlib.md5(paiement.reference.encode()).hexdigest()  # noqa: S324 (idem)


def decrire(quoi: Paiement | dict[str, str]) -> dict[str, str]:
    if isinstance(quoi, dict):
        return quoi
    montant = str(to_centimes(quoi.montant))
    return {
        "TRANSACTION_ID": quoi.trans_id,
        "PAYMENT_DATE": f"{quoi.cree_le:%Y%m%d}",
        "PAYMENT_TIME": f"{quoi.cree_le:%H%M%S}",
        "ORDER_ID": quoi.reference,
        "TRANSACTION_UUID": UUID(quoi),
        **dict.fromkeys(("AMOUNT", "OPERATION_AMOUNT", "BRUT_AMOUNT", "SOURCE_AMOUNT", "ORIGIN_AMOUNT"), montant),
    }


def composer(
    genre: str, detail: str, colonnes: list[str], quoi: Iterable[Any], *, jour: str, fin: bool, plus: dict[str, str]
) -> Fichier:
    colonnes = [*colonnes, *(nom for nom in plus if nom not in colonnes)]
    lignes = [["TITRE", "Caf", "26/11/28_02:00:00", "V1"], ["ENTETE", *colonnes]]
    for chose in quoi:
        dits = COMMUNES | {"OPERATION_TYPE": "D" if genre == "JRI" else "DT", "OPERATION_NAME": "DEBIT"}
        dits |= decrire(chose) | plus
        lignes.append([detail, *(dits.get(nom, "") for nom in colonnes)])
    lignes += [["FIN"]] if fin else []
    texte = "".join(";".join(champs) + ";\r\n" for champs in lignes)
    return f"TEST_{genre}_SHOP_66100001_{jour}.csv", texte.encode("iso-8859-1")


def jt(quoi: Iterable[Any], jour: str = "261127", **plus: str) -> Fichier:
    return composer("JT", "TRANSACTION", JT, quoi, jour=jour, fin=False, plus=plus)


def jo(quoi: Iterable[Any], jour: str = "261127", **plus: str) -> Fichier:
    return composer("JO", "OPERATION", JO, quoi, jour=jour, fin=True, plus=plus)


def jrb(quoi: Iterable[Any], jour: str = "261127", **plus: str) -> Fichier:
    return composer("JRB", "MATCHING", JRB, quoi, jour=jour, fin=True, plus=plus)


def jri(quoi: Iterable[Any], jour: str = "261127", **plus: str) -> Fichier:
    return composer("JRI", "DETAIL", JRI, quoi, jour=jour, fin=True, plus=plus)
