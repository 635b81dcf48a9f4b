"""Ce que coûte une tâche avant même de commencer."""

import pytest
from celery.fixups.django import DjangoWorkerFixup
from django.conf import settings
from django.db import connection

from caf_remboursement.celery import app, verifier_la_connexion

pytestmark = pytest.mark.django_db(transaction=True)


def test_une_tache_trouve_la_connexion_de_la_precedente():
    connection.close()  # celle des essais d'avant est peut-être trop vieille
    connection.ensure_connection()
    tenue = connection.connection
    celery = DjangoWorkerFixup(app)

    for _ in range(3):
        celery.close_database()  # ce que Celery fait avant et après chaque tâche
        verifier_la_connexion()
        connection.ensure_connection()

    assert connection.connection is tenue


def test_une_connexion_rompue_se_rouvre_a_la_tache_suivante():
    connection.ensure_connection()
    rompue = connection.connection
    rompue.close()

    verifier_la_connexion()
    with connection.cursor() as curseur:
        curseur.execute("SELECT 1")

    assert connection.connection is not rompue


def test_une_connexion_ne_sert_pas_toujours():
    connection.ensure_connection()
    vieille = connection.connection
    connection.close_at = 0  # CONN_MAX_AGE est passé

    verifier_la_connexion()
    connection.ensure_connection()

    assert connection.connection is not vieille
    assert settings.DATABASES["default"]["CONN_MAX_AGE"] == 60
