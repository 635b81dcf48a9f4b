"""Ce qu'un autre tient ne fait une panne d'aucune page."""

import pytest
from django.db import connection
from django.urls import reverse

from demarches.models import Demarche
from tests.factories import DemarcheFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demarche_tenue():
    demarche = DemarcheFactory()
    autre = connection.copy()
    with autre.cursor() as curseur, connection.cursor() as notre:
        curseur.execute("BEGIN; SELECT FROM demarches_demarche FOR UPDATE")
        notre.execute("SET lock_timeout = '50ms'")
        yield demarche
        curseur.execute("ROLLBACK")
    autre.close()
    connection.close()


def test_une_page_qui_bute_sur_un_verrou_dit_d_attendre(client, demarche_tenue):
    client.force_login(demarche_tenue.auteur)

    page = client.post(reverse("demarches:abandonner", args=[demarche_tenue.reference]))

    assert page.status_code == 503
    assert page["Retry-After"]
    assert "Rien de ce que vous venez de demander" in page.content.decode()
    assert Demarche.objects.get().etat == demarche_tenue.etat
