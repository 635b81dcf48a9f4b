"""Ce qu'une restauration fait oublier."""

from django.db import connection

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
