"""Une migration prend le temps qu'il lui faut, mais n'attend pas un verrou plus que d'ordinaire."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import pre_migrate

pytestmark = pytest.mark.django_db


def lire_les_limites():
    with connection.cursor() as curseur:
        curseur.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        return curseur.fetchone()


def test_migrate_n_a_pas_la_limite_des_pages_et_la_rend_ensuite():
    avant = lire_les_limites()
    pendant = []

    def lire(**_):
        pendant.append(lire_les_limites())

    with connection.cursor() as curseur:
        curseur.execute("SET statement_timeout = '30s'")
    pre_migrate.connect(lire, sender=apps.get_app_config("contenttypes"))
    try:
        call_command("migrate", verbosity=0)
    finally:
        pre_migrate.disconnect(lire, sender=apps.get_app_config("contenttypes"))

    assert pendant == [("0", avant[1])]
    assert lire_les_limites() == avant
