"""Ce que la plateforme REST répond dans ces tests : une commande, et ses pannes."""

import requests

API = "https://api.plateforme.example/api-payment/V4"
UUID = "5f1d0c2b7a8e4d3c9b6a1e2f3d4c5b6a"
REFERENCE = "CREANCE-2026-000123-1"

# La transaction du vecteur « calcule-ipn-authorised », telle que REST l'écrit (PROTOCOLE §6.3).
TRANSACTION = {
    "shopId": "12345678",
    "uuid": UUID,
    "status": "PAID",
    "detailedStatus": "AUTHORISED",
    "operationType": "DEBIT",
    "amount": 4525,
    "currency": "EUR",
    "creationDate": "2026-11-23T10:16:34+00:00",
    "orderDetails": {"orderId": REFERENCE, "mode": "TEST"},
    "customer": {"email": "camille@exemple.fr", "billingDetails": {"lastName": "Noël"}},
    "transactionDetails": {
        "sequenceNumber": 1,
        "mid": "5785350",
        "effectiveAmount": 4525,
        "effectiveCurrency": "EUR",
        "cardDetails": {
            "effectiveBrand": "CB",
            "pan": "497010XXXXXX0055",
            "expiryMonth": 6,
            "expiryYear": 2027,
            "legacyTransId": "a1B2c3",
            "legacyTransDate": "2026-11-23T10:15:00+00:00",
            "authorizationResponse": {"authorizationNumber": "3fe85c", "authorizationResult": "0"},
            "captureResponse": {"captureDate": None, "refundAmount": None},
        },
    },
}
COMMANDE = {"shopId": "12345678", "orderId": REFERENCE, "transactions": [TRANSACTION]}
INTROUVABLE = {"errorCode": "PSP_010", "errorMessage": "transaction not found", "shopId": "12345678"}

PANNES = {
    "délai": {"body": requests.ReadTimeout("trop long")},
    "connexion": {"body": requests.ConnectionError("refusée")},
    "certificat": {"body": requests.exceptions.SSLError("certificat")},
    "500": {"status": 500, "json": {"status": "SUCCESS", "mode": "TEST", "answer": COMMANDE}},
    "redirection": {"status": 302, "headers": {"Location": "https://ailleurs.example/"}, "body": ""},
    "HTML": {"body": "<!doctype html><title>Maintenance</title>"},
    "JSON coupé": {"body": '{"status":'},
    "liste": {"json": []},
    "sans contenu": {"json": {"status": "SUCCESS", "mode": "TEST", "answer": None}},
}
