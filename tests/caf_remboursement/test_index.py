"""Chaque index se paie à chaque écriture : des tables que tout paiement touche, aucun n'en répète un autre."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

CHAUDES = [
    "comptes_allocataire",
    "demarches_demarche",
    "demarches_lignedemarche",
    "dettes_dette",
    "dettes_mouvement",
    "paiements_etapepaiement",
    "paiements_imputation",
    "paiements_lignejournal",
    "paiements_messagepayzen",
    "paiements_paiement",
    "paiements_transactionpayzen",
]
# Un agent tape le début d'une référence (paiements/bureau/lectures.py), dont l'ordre de la langue ne dit rien.
DEBUTS_CHERCHES = {"paiements_paiement.reference", "demarches_demarche.reference"}


def lire(ordre):
    with connection.cursor() as curseur:
        curseur.execute(ordre, [CHAUDES])
        return curseur.fetchall()


def test_aucun_index_n_est_le_debut_d_un_autre():
    repetes = lire(
        """
        SELECT court.indexrelid::regclass::text, long.indexrelid::regclass::text FROM pg_index court
        JOIN pg_index long ON long.indrelid = court.indrelid AND long.indexrelid <> court.indexrelid
        WHERE court.indrelid::regclass::text = ANY(%s) AND NOT court.indisunique
          AND (long.indkey::text || ' ') LIKE (court.indkey::text || ' %%')
          AND (long.indclass::text || ' ') LIKE (court.indclass::text || ' %%')
          AND court.indpred IS NULL AND court.indexprs IS NULL AND long.indpred IS NULL
        """
    )

    assert repetes == []


def test_aucun_index_ne_sert_une_recherche_que_personne_ne_fait():
    """Django double l'index de tout texte unique ou étranger, pour des LIKE que nous ne faisons pas."""
    doubles = lire(
        """
        SELECT indrelid::regclass::text || '.' || attname FROM pg_index
        JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        JOIN pg_opclass ON pg_opclass.oid = indclass[0]
        WHERE indrelid::regclass::text = ANY(%s) AND indnatts = 1 AND opcname = 'varchar_pattern_ops'
        """
    )

    assert {nom for (nom,) in doubles} == DEBUTS_CHERCHES
