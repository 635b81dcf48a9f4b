"""Ce qu'une restauration fait oublier, et ce que la plateforme en redit."""

from django.conf import settings
from django.db import connection

from paiements import depart
from paiements.payzen import to_centimes
from tests.paiements.journaux import UUID

PERDUES = [
    "paiements_etapeanomalie",
    "paiements_anomalie",
    "paiements_ticket",
    "paiements_messagepayzen",
    "paiements_imputation",
    "paiements_etapepaiement",
    "paiements_paiement",
    "paiements_transactionpayzen",
    "dettes_ligneemise",
    "dettes_mouvementarendre",
    "dettes_fichieremis",
    "demarches_lignedemarche",
    "demarches_demarche",
]


def restaurer():
    """La base revient à une sauvegarde d'avant tout paiement : tables et soldes."""
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        for table in PERDUES:
            curseur.execute(f"DELETE FROM {table}")  # noqa: S608 (nos constantes)
        curseur.execute("DELETE FROM dettes_mouvement WHERE genre IN ('IMPUTATION', 'REJET')")
        curseur.execute(
            "UPDATE dettes_dette d SET solde = montant_initial + coalesce((SELECT sum(montant) FROM dettes_mouvement"
            " WHERE dette_id = d.id AND genre <> 'CONSTAT'), 0)"
        )
        curseur.execute("SET LOCAL session_replication_role = origin")


def decrire(paiement):
    """Ce que REST dit d'un paiement, avec le contexte que notre formulaire lui avait confié."""
    formulaire = depart._preparer_formulaire(paiement, settings.PAYZEN_BOUTIQUES[paiement.boutique])
    return {
        "shopId": paiement.boutique,
        "uuid": UUID(paiement),
        "detailedStatus": "CAPTURED",
        "operationType": "DEBIT",
        "amount": to_centimes(paiement.montant),
        "currency": "EUR",
        "creationDate": paiement.cree_le.isoformat(),
        "metadata": {"orderInfo": formulaire["vads_order_info"]},
        "orderDetails": {"orderId": paiement.reference, "mode": paiement.mode},
        "transactionDetails": {
            "cardDetails": {"legacyTransId": paiement.trans_id, "legacyTransDate": paiement.cree_le.isoformat()}
        },
    }
