"""
Ce que le marchand peut faire d'une transaction, par le Back Office, l'API ou la page de contrôle.

Chaque geste relit la transaction sous le verrou de la base, décide, écrit. Aucun n'envoie d'IPN : c'est l'appelant
qui sait d'où vient le geste (l'API n'en déclenche pas, PROTOCOLE §5).
"""

import secrets
from collections.abc import Callable
from datetime import UTC

from django.db import transaction as base

from .banque import to_date_vads
from .models import Transaction

A_REMETTRE = ("AUTHORISED",)
ANNULABLES = ("AUTHORISED", "AUTHORISED_TO_VALIDATE")
MONTANT_MAXIMAL = 999_999_999_999  # centimes : les douze chiffres de `vads_amount`


class OperationImpossible(Exception):
    """Un geste que l'état de la transaction interdit, avec le code de l'API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def relire(transaction: Transaction) -> Transaction:
    """Relit la ligne ; la base est verrouillée en écriture depuis le début de la transaction SQLite."""
    return Transaction.objects.select_related("boutique", "session").get(pk=transaction.pk)


def exiger_impayee_non(transaction: Transaction) -> None:
    """Refuse de rendre l'argent d'un impayé."""
    if transaction.impayee_le and not transaction.impaye_fini_le:
        raise OperationImpossible("PSP_083", "chargeback cannot be refunded")


@base.atomic
def annuler(transaction: Transaction) -> Transaction:
    """Annule avant la remise : même uuid, CANCELLED."""
    ligne = relire(transaction)
    if ligne.statut == "CAPTURED":
        raise OperationImpossible("PSP_075", "transaction already captured, refund it instead")
    if ligne.statut == "CANCELLED":
        raise OperationImpossible("PSP_105", "transaction already cancelled")
    if ligne.statut not in ANNULABLES:
        raise OperationImpossible("PSP_011", "transaction status does not allow this action")
    ligne.statut = "CANCELLED"
    ligne.save()
    return ligne


@base.atomic
def rembourser(transaction: Transaction, montant: int | None = None) -> Transaction:
    """Rend tout ce qui reste, ou `montant` centimes : une nouvelle transaction CREDIT."""
    ligne = relire(transaction)
    exiger_impayee_non(ligne)
    if ligne.operation != "DEBIT":
        raise OperationImpossible("PSP_011", "a credit cannot be refunded")
    if ligne.statut in ANNULABLES:
        raise OperationImpossible("PSP_076", "transaction not captured yet, cancel it instead")
    if ligne.statut != "CAPTURED":
        raise OperationImpossible("PSP_011", "transaction status does not allow this action")
    reste = ligne.montant - ligne.rembourse
    if reste == 0:
        raise OperationImpossible("PSP_104", "transaction already refunded")
    demande = reste if montant is None else montant
    if demande > reste:
        raise OperationImpossible("PSP_510", "refund amount is above the remaining amount")
    if demande <= 0:
        raise OperationImpossible("PSP_020", "invalid amount")
    return deriver(ligne, operation="CREDIT", origine="REFUND", montant=demande)


@base.atomic
def dupliquer(transaction: Transaction, montant: int | None = None) -> Transaction:
    """Refait un débit sur la même carte : nouvel uuid, même référence de commande."""
    ligne = relire(transaction)
    if ligne.operation != "DEBIT" or ligne.code != "00":
        raise OperationImpossible("PSP_016", "transaction cannot be duplicated")
    prix = ligne.montant if montant is None else montant
    if not 0 < prix <= MONTANT_MAXIMAL:
        raise OperationImpossible("PSP_020", "invalid amount")
    return deriver(ligne, operation="DEBIT", origine="DUPLICATE", montant=prix)


def deriver(parent: Transaction, *, operation: str, origine: str, montant: int) -> Transaction:
    """Crée une transaction née d'une autre, avec un numéro réservé à la plateforme (900000 à 999999)."""
    maintenant = parent.boutique.maintenant()
    credit = operation == "CREDIT"
    return Transaction.objects.create(
        boutique=parent.boutique,
        session=parent.session,
        parent=parent,
        mode=parent.mode,
        operation=operation,
        origine=origine,
        statut="AUTHORISED",
        order_id=parent.order_id,
        trans_id=tirer_trans_id(parent),
        trans_date=to_date_vads(maintenant),
        montant=montant,
        creee_le=maintenant,
        remise_prevue_le=maintenant,
        code="00",
        autorisation="" if credit else secrets.token_hex(3),
        garantie="" if credit else "NO",
        carte=parent.carte,
        threeds={"enrolled": "", "status": "", "eci": "", "exit_status": "", "auth_type": ""},
    )


def tirer_trans_id(parent: Transaction) -> str:
    """Un numéro réservé, libre ce jour UTC dans la boutique."""
    jour = to_date_vads(parent.boutique.maintenant())[:8]
    pris = set(
        Transaction.objects.filter(
            boutique=parent.boutique, trans_date__startswith=jour, trans_id__startswith="9"
        ).values_list("trans_id", flat=True)
    )
    while (numero := str(900_000 + secrets.randbelow(100_000))) in pris:
        continue
    return numero


@base.atomic
def remettre(transaction: Transaction) -> Transaction:
    """Remet en banque : CAPTURED, sans IPN."""
    ligne = relire(transaction)
    if ligne.statut not in A_REMETTRE:
        raise OperationImpossible("PSP_011", "transaction status does not allow this action")
    ligne.statut, ligne.remise_le = "CAPTURED", ligne.boutique.maintenant()
    ligne.numero_remise = int(ligne.remise_le.astimezone(UTC).strftime("%j"))
    ligne.save()
    return ligne


@base.atomic
def echouer_remise(transaction: Transaction) -> Transaction:
    """La banque rejette la remise : CAPTURE_FAILED, même uuid."""
    ligne = relire(transaction)
    if ligne.statut not in {"AUTHORISED", "CAPTURED"}:
        raise OperationImpossible("PSP_011", "transaction status does not allow this action")
    ligne.statut, ligne.remise_le, ligne.numero_remise = "CAPTURE_FAILED", None, None
    ligne.save()
    return ligne


@base.atomic
def marquer_impayee(transaction: Transaction) -> Transaction:
    """Impayé : rien ne change sauf le journal JRI, et le remboursement devient impossible."""
    ligne = relire(transaction)
    if ligne.statut != "CAPTURED" or ligne.operation != "DEBIT" or ligne.impayee_le:
        raise OperationImpossible("PSP_011", "transaction status does not allow this action")
    ligne.impayee_le = ligne.boutique.maintenant()
    ligne.save()
    return ligne


@base.atomic
def finir_impaye(transaction: Transaction) -> Transaction:
    """L'impayé prend fin : la banque rend l'argent, le JRI le dit, rien d'autre."""
    ligne = relire(transaction)
    if not ligne.impayee_le or ligne.impaye_fini_le:
        raise OperationImpossible("PSP_011", "transaction status does not allow this action")
    ligne.impaye_fini_le = ligne.boutique.maintenant()
    ligne.save()
    return ligne


@base.atomic
def valider(transaction: Transaction) -> Transaction:
    """Validation manuelle : AUTHORISED_TO_VALIDATE devient AUTHORISED."""
    return changer(transaction, "AUTHORISED_TO_VALIDATE", "AUTHORISED")


@base.atomic
def expirer(transaction: Transaction) -> Transaction:
    """Jamais validée à temps : EXPIRED, définitif."""
    return changer(transaction, "AUTHORISED_TO_VALIDATE", "EXPIRED")


def changer(transaction: Transaction, de: str, vers: str) -> Transaction:
    """Change un statut précis en un autre."""
    ligne = relire(transaction)
    if ligne.statut != de:
        raise OperationImpossible("PSP_011", "transaction status does not allow this action")
    ligne.statut = vers
    ligne.save()
    return ligne


@base.atomic
def modifier(transaction: Transaction, montant: int) -> Transaction:
    """Baisse le montant avant la remise."""
    ligne = relire(transaction)
    if ligne.statut not in ANNULABLES:
        raise OperationImpossible("PSP_011", "transaction status does not allow this action")
    if montant == ligne.montant:
        raise OperationImpossible("PSP_014", "nothing to change")
    if not 0 < montant < ligne.montant:
        raise OperationImpossible("PSP_020", "invalid amount")
    ligne.montant = montant
    ligne.save()
    return ligne


Geste = Callable[..., Transaction]
# Geste, règle de notification qui l'accompagne depuis le Back Office, source de l'IPN, prend un montant ou non.
GESTES: dict[str, tuple[Geste, str, str, bool]] = {
    "annuler": (annuler, "bo", "MERCH_BO", False),
    "rembourser": (rembourser, "bo", "MERCH_BO", True),
    "dupliquer": (dupliquer, "bo", "MERCH_BO", True),
    "modifier": (modifier, "bo", "MERCH_BO", True),
    "valider": (valider, "bo", "MERCH_BO", False),
    "remettre": (remettre, "", "", False),
    "echouer_remise": (echouer_remise, "batch", "BATCH", False),
    "expirer": (expirer, "batch", "BATCH", False),
    "impaye": (marquer_impayee, "", "", False),
    "finir_impaye": (finir_impaye, "", "", False),
}
