"""La transaction telle que l'API REST la décrit (PROTOCOLE §6.3)."""

from datetime import UTC, datetime
from typing import Any

from .banque import CONTRAT
from .models import Transaction

PAYEES = {"AUTHORISED", "CAPTURED", "ACCEPTED", "PARTIALLY_AUTHORISED"}
EN_COURS = {"AUTHORISED_TO_VALIDATE"}


def to_iso(moment: datetime | None) -> str | None:
    """Date ISO 8601 avec décalage, à la seconde, ou rien."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def to_statut_simple(statut: str) -> str:
    """Statut résumé : PAID, RUNNING ou UNPAID (PROTOCOLE §6.4)."""
    if statut in PAYEES:
        return "PAID"
    return "RUNNING" if statut in EN_COURS else "UNPAID"


def decrire_transaction(transaction: Transaction) -> dict[str, Any]:
    """L'objet `V4/Transaction` ; ce qui est vide vaut `null`."""
    champs = transaction.session.champs
    refusee = transaction.statut == "REFUSED"
    code = "ACQ_001" if transaction.code else f"AUTH_{transaction.erreur.zfill(3)}"
    extras = {nom.removeprefix("vads_ext_info_"): v for nom, v in champs.items() if nom.startswith("vads_ext_info_")}
    # Vu pour le premier ; pour les deux autres, supposé de même.
    infos = {f"orderInfo{rang}": champs.get(f"vads_order_info{rang}") for rang in ("", "2", "3")}
    extras |= {nom: dit for nom, dit in infos.items() if dit}
    return {
        "_type": "V4/Transaction",
        "shopId": transaction.boutique_id,
        "uuid": transaction.uuid,
        "paymentMethodType": "CARD",
        "status": to_statut_simple(transaction.statut),
        "detailedStatus": transaction.statut,
        "operationType": transaction.operation,
        "amount": transaction.montant,
        "currency": "EUR",
        "creationDate": to_iso(transaction.creee_le),
        "errorCode": code if refusee else None,
        "errorMessage": "payment refused" if refusee else None,
        "detailedErrorCode": (transaction.code or None) if refusee else None,
        "detailedErrorMessage": None,
        "effectiveStrongAuthentication": "ENABLED" if transaction.threeds["status"] == "Y" else "DISABLED",
        "metadata": extras or None,
        "orderDetails": decrire_commande(transaction),
        "customer": decrire_client(champs),
        "transactionDetails": decrire_details(transaction),
        "fraudManagement": {"riskControl": [], "riskAnalysis": []},
    }


def decrire_commande(transaction: Transaction) -> dict[str, Any]:
    """La commande ; son total est celui du formulaire."""
    return {
        "_type": "V4/OrderDetails",
        "orderId": transaction.order_id or None,
        "orderTotalAmount": transaction.session.montant,
        "orderEffectiveAmount": transaction.session.montant,
        "orderCurrency": "EUR",
        "mode": transaction.mode,
        "metadata": None,
    }


def decrire_client(champs: dict[str, str]) -> dict[str, Any]:
    """Le payeur, tel que le formulaire l'a dit."""
    return {
        "email": champs.get("vads_cust_email") or None,
        "reference": champs.get("vads_cust_id") or None,
        "billingDetails": {
            "firstName": champs.get("vads_cust_first_name") or None,
            "lastName": champs.get("vads_cust_last_name") or None,
            "language": champs.get("vads_language", "fr").upper() or None,
        },
    }


def decrire_details(transaction: Transaction) -> dict[str, Any]:
    """Les détails, dont la carte."""
    return {
        "_type": "V4/TransactionDetails",
        "liabilityShift": transaction.garantie or None,
        "effectiveAmount": transaction.montant,
        "effectiveCurrency": "EUR",
        "creationContext": transaction.origine,
        "parentTransactionUuid": transaction.parent_id,
        "sequenceNumber": transaction.rang,
        "mid": CONTRAT,
        "tid": "001",
        "acquirerNetwork": "CB",
        "wallet": None,
        "externalTransactionId": None,
        "cardDetails": decrire_carte(transaction),
    }


def decrire_carte(transaction: Transaction) -> dict[str, Any]:
    """La carte, l'autorisation, la remise et l'authentification."""
    carte, accepte = transaction.carte, transaction.code == "00"
    date = datetime.strptime(transaction.trans_date, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return {
        "_type": "V4/PaymentMethod/Details/CardDetails",
        "paymentSource": "EC",
        "manualValidation": "YES" if transaction.session.champs.get("vads_validation_mode") == "1" else "NO",
        "expectedCaptureDate": to_iso(transaction.remise_prevue_le),
        "effectiveBrand": carte["marque"],
        "pan": carte["masque"],
        "expiryMonth": carte["mois"],
        "expiryYear": carte["annee"],
        "country": carte["pays"],
        "issuerCode": int(carte["code"]),
        "issuerName": carte["libelle"],
        "effectiveProductCode": carte["produit"],
        "legacyTransId": transaction.trans_id,
        "legacyTransDate": to_iso(date),
        "paymentMethodSource": "NEW",
        "authorizationResponse": {
            "amount": transaction.montant,
            "currency": "EUR",
            "authorizationDate": to_iso(transaction.creee_le),
            "authorizationNumber": transaction.autorisation or None,
            "authorizationResult": "0" if accepte else transaction.code or None,
            "authorizationMode": "FULL",
        },
        "captureResponse": decrire_remise(transaction),
        "authenticationResponse": decrire_authentification(transaction),
    }


def decrire_remise(transaction: Transaction) -> dict[str, Any]:
    """La remise en banque et ce qui a été rendu depuis."""
    rendu = transaction.rembourse or None
    return {
        "captureDate": to_iso(transaction.remise_le),
        "captureFileNumber": transaction.numero_remise,
        "refundAmount": rendu,
        "refundCurrency": "EUR" if rendu else None,
        "effectiveRefundAmount": rendu,
        "effectiveRefundCurrency": "EUR" if rendu else None,
    }


def decrire_authentification(transaction: Transaction) -> dict[str, Any] | None:
    """Le 3-D Secure ; rien pour un remboursement."""
    threeds = transaction.threeds
    if not threeds["enrolled"]:
        return None
    issue = {"Y": "SUCCESS", "N": "FAILED"}.get(threeds["status"])
    if issue is None:
        issue = "NOT_ENROLLED" if threeds["enrolled"] == "N" else "UNAVAILABLE"
    return {
        "protocol": {
            "name": "THREEDS",
            "version": "2.2.0",
            "network": transaction.carte["marque"],
            "challengePreference": "NO_PREFERENCE",
            "simulation": True,
        },
        "value": {"status": issue, "authenticationType": threeds["auth_type"] or None},
    }
