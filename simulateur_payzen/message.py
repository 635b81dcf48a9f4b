"""Ce que dit un message au marchand, IPN ou retour du navigateur : ses champs, sa signature (PROTOCOLE §3, §4)."""

import hashlib
import json
import secrets
from typing import Any

from .banque import CONTRAT, to_date_vads
from .models import SessionPaiement, Transaction
from .signature import signer

NON_REPETES = ("vads_url_", "vads_redirect_", "vads_return_", "vads_payment_cards", "vads_theme_config")
PROPRES_AU_FORMULAIRE = ("vads_page_action", "vads_payment_config", "vads_action_mode")
PROPRES_A_L_IPN = ("vads_hash", "vads_url_check_src")
VIDES_D_UN_ABANDON = [
    "auth_number",
    "auth_result",
    "card_brand",
    "card_country",
    "card_number",
    "contract_used",
    "effective_amount",
    "extra_result",
    "payment_certificate",
    "threeds_cavv",
    "threeds_cavvAlgorithm",
    "threeds_eci",
    "threeds_enrolled",
    "threeds_error_code",
    "threeds_exit_status",
    "threeds_sign_valid",
    "threeds_status",
    "threeds_xid",
    "warranty_result",
]


def composer(session: SessionPaiement, transaction: Transaction | None, source: str) -> dict[str, str]:
    """
    Compose les champs d'un message, sans sa signature.

    Sans transaction, c'est un abandon : ni uuid, ni numéro de séquence, ni type d'opération.
    """
    champs = {nom: valeur for nom, valeur in session.champs.items() if not nom.startswith(NON_REPETES)}
    champs.setdefault("vads_payment_src", "EC")
    champs |= {"vads_pays_ip": "FR", "vads_hash": secrets.token_hex(32), "vads_url_check_src": source}
    if source != "PAY":
        champs = {nom: valeur for nom, valeur in champs.items() if nom not in PROPRES_AU_FORMULAIRE}
    return champs | (decrire_abandon(session) if transaction is None else decrire_transaction(transaction))


def decrire_abandon(session: SessionPaiement) -> dict[str, str]:
    """Champs propres à un abandon."""
    expiree = session.etape == "EXPIREE"
    return {f"vads_{nom}": "" for nom in VIDES_D_UN_ABANDON} | {
        "vads_auth_mode": "MARK",
        "vads_presentation_date": to_date_vads(session.boutique.maintenant()),
        "vads_result": "17",
        "vads_trans_status": "ABANDONED",
        **({"vads_payment_error": "149"} if expiree else {}),
    }


def decrire_transaction(transaction: Transaction) -> dict[str, str]:
    """Champs propres à une transaction, dans son état du moment."""
    accepte = transaction.code == "00"
    champs = {
        "amount": str(transaction.montant),
        "auth_mode": "FULL",
        "auth_number": transaction.autorisation,
        "auth_result": transaction.code,
        "contract_used": CONTRAT,
        "currency": "978",
        "effective_amount": str(transaction.montant),
        "effective_creation_date": to_date_vads(transaction.creee_le),
        "effective_currency": "978",
        "extra_result": "07" if transaction.carte["ecarte_bleue"] else "",
        "operation_type": transaction.operation,
        "payment_certificate": hashlib.sha256(transaction.uuid.encode()).hexdigest()[:40] if accepte else "",
        "presentation_date": to_date_vads(transaction.remise_prevue_le),
        "result": "00" if accepte else "05",
        "risk_control": "CARD_FRAUD=OK;SUSPECT_COUNTRY=OK",
        "sequence_number": str(transaction.rang),
        "tid": "001",
        "trans_date": transaction.trans_date,
        "trans_id": transaction.trans_id,
        "trans_status": transaction.statut,
        "trans_uuid": transaction.uuid,
        "warranty_result": transaction.garantie,
        **decrire_carte(transaction.carte),
        **decrire_threeds(transaction.threeds),
    }
    if transaction.erreur:
        champs["payment_error"] = transaction.erreur
    return {f"vads_{nom}": valeur for nom, valeur in champs.items()}


def decrire_carte(carte: dict[str, Any]) -> dict[str, str]:
    """Champs de la carte et de sa banque."""
    marques = {"userChoice": carte["choisie"], "brandList": "|".join(carte["reseaux"]), "brand": carte["marque"]}
    return {
        "bank_code": carte["code"],
        "bank_label": carte["libelle"],
        "bank_product": carte["produit"],
        "brand_management": json.dumps(marques, separators=(",", ":")),
        "card_brand": carte["marque"],
        "card_country": carte["pays"],
        "card_number": carte["masque"],
        "expiry_month": str(carte["mois"]),
        "expiry_year": str(carte["annee"]),
    }


def decrire_threeds(threeds: dict[str, str]) -> dict[str, str]:
    """Champs du 3-D Secure, tous présents, parfois vides."""
    reussie = threeds["status"] == "Y"
    return {
        "threeds_auth_type": threeds["auth_type"],
        "threeds_cavv": "Q2F2dkNhdnZDYXZ2Q2F2dkNhdnY=" if reussie else "",
        "threeds_cavvAlgorithm": "2" if reussie else "",
        "threeds_eci": threeds["eci"],
        "threeds_enrolled": threeds["enrolled"],
        "threeds_error_code": "",
        "threeds_exit_status": threeds["exit_status"],
        "threeds_sign_valid": "1" if reussie else "",
        "threeds_status": threeds["status"],
        "threeds_xid": "cVpQTXd1SUJBdnduSFFiaGUzOWI=" if reussie else "",
    }


def composer_retour(session: SessionPaiement, transaction: Transaction | None) -> dict[str, str]:
    """Les données du retour navigateur : celles de l'IPN moins deux, signées à neuf (PROTOCOLE §4)."""
    champs = composer(session, transaction, "PAY")
    sans = {nom: valeur for nom, valeur in champs.items() if nom not in PROPRES_A_L_IPN}
    return signer(sans, session.boutique.cle_par_mode[session.mode], session.boutique.reglages.algorithme)


def deformer(session: SessionPaiement, champs: dict[str, str], genre: str) -> dict[str, str]:
    """Signe les champs, en y mettant la panne demandée."""
    cles = session.boutique.cle_par_mode
    if genre == "montant_autre":
        autre = str(int(champs["vads_amount"]) + 100)
        champs = champs | {"vads_amount": autre, "vads_effective_amount": autre}
    if genre == "mode_autre":
        champs = champs | {"vads_ctx_mode": "PRODUCTION" if session.mode == "TEST" else "TEST"}
    cle = "cle-qui-n-est-pas-la-bonne" if genre == "signature_fausse" else cles[champs["vads_ctx_mode"]]
    return signer(champs, cle, session.boutique.reglages.algorithme)
