"""Les colonnes des journaux de la plateforme : celles que nous lisons, celles qui n'entrent pas (PROTOCOLE §8)."""

import re
from collections.abc import Mapping

DETAILS = {"JT": "TRANSACTION", "JO": "OPERATION", "JRB": "MATCHING", "JRI": "DETAIL"}

# Ce que nous lisons d'un journal, et le nom d'ordinaire de sa colonne. Les noms marqués « ? » ne sont pas publiés.
COLONNES: Mapping[str, Mapping[str, str]] = {
    "JT": {
        "trans_id": "TRANSACTION_ID",
        "operation": "TRANSACTION_TYPE",
        "montant": "AMOUNT",
        "statut": "TRANSACTION_STATUS",
        "devise": "CURRENCY_CODE?",
        "jour": "PAYMENT_DATE?",
        "heure": "PAYMENT_TIME?",
        "reference": "ORDER_ID?",
        "uuid": "TRANSACTION_UUID?",
    },
    "JO": {
        "trans_id": "TRANSACTION_ID",
        "operation": "OPERATION_NAME",
        "montant": "OPERATION_AMOUNT",
        "devise": "OPERATION_CURRENCY",
        "jour": "PAYMENT_DATE",
        "reference": "ORDER_ID?",
        "uuid": "TRANSACTION_UUID?",
    },
    "JRB": {
        "trans_id": "TRANSACTION_ID",
        "operation": "OPERATION_TYPE",
        "montant": "BRUT_AMOUNT",
        "devise": "CURRENCY_CODE",
        "jour": "PAYMENT_DATE",
        "remis_le": "REMITTANCE_DATE",
        "remis_a": "REMITTANCE_TIME?",
        "statut": "MATCH_STATUS",
        "reference": "ORDER_ID?",
        "uuid": "TRANSACTION_UUID?",
    },
    "JRI": {
        "trans_id": "TRANSACTION_ID",
        "operation": "OPERATION_TYPE",
        "montant": "SOURCE_AMOUNT",
        "jour": "PAYMENT_DATE",
        "reference": "ORDER_ID?",
        "motif": "REASON_CODE?",
        "impaye_le": "UNPAID_DATE?",
        "uuid": "TRANSACTION_UUID?",
    },
}
OPERATIONS = {"DT": "DEBIT", "CT": "CREDIT", "D": "DEBIT", "C": "CREDIT"}
# De la carte, de la personne, ou le texte libre d'une commande : n'entre pas chez nous (PROTOCOLE §9.23).
JAMAIS_GARDEES = re.compile(r"CARD|CUSTOMER|CUST_|EMAIL|NAME|PHONE|ADDRESS|AUTHORI[SZ]ATION|IBAN|\bIP\b|INFO|CONTEXT")
# Nées de nos propres champs : de plus, rien à y dire.
CONNUES_SANS_USAGE = frozenset(
    [
        "MERCHANT_ID",
        "MERCHANT_COUNTRY",
        "CONTRACT",
        "PAYMENT_MEANS",
        "PAYMENT_METHOD",
        "ORIGIN_AMOUNT",
        "CARD_TYPE",
        "CARD_NUMBER",
        "CARD_VALIDITY",
        "AUTHORISATION_ID",
        "RESPONSE_CODE",
        "CUSTOMER_ID",
        "RETURN_CONTEXT",
        "OPERATION_NUMBER",
        "OPERATION_SEQUENCE",
        "OPERATION_DATE",
        "REMITTANCE_NB",
        "NET_AMOUNT",
        "COMMISSION_AMOUNT",
        "SIRET",
    ]
)
