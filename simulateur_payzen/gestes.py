"""Un geste du Back Office : l'opération, puis l'IPN de sa règle."""

from .models import AppelIpn, Transaction
from .notification import notifier
from .operations import GESTES, OperationImpossible

RENVOYER = "renvoyer"
NOMS = (RENVOYER, *GESTES)


def executer(transaction: Transaction, nom: str, montant: int | None) -> tuple[Transaction, list[AppelIpn]]:
    """
    Fait un geste par son nom ; rend la transaction touchée ou créée, et les IPN partis.

    `montant` (centimes) : pour rembourser, dupliquer ou modifier ; rien pour la totalité.

    :raises OperationImpossible: l'état de la transaction l'interdit
    :raises KeyError: geste inconnu
    """
    if nom == RENVOYER:
        return transaction, notifier(transaction.session, transaction, "", "BO")
    geste, regle, source, prend_montant = GESTES[nom]
    if nom == "modifier" and montant is None:
        raise OperationImpossible("PSP_020", "invalid amount")
    touchee = geste(transaction, montant) if prend_montant else geste(transaction)
    return touchee, notifier(touchee.session, touchee, regle, source) if regle else []
