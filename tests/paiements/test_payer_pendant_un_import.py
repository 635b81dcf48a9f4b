"""Un import tient les dettes : « Payer » n'est jamais une panne, la page dit d'attendre et réessaie seule."""

from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse

from demarches.etats import Etat
from paiements import views
from paiements.models import Paiement
from tests.factories import demander, empreinte

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def dettes_tenues():
    """Une autre connexion tient toutes les dettes, comme l'import qui les change."""
    autre = connection.copy()
    try:
        with autre.cursor() as curseur:
            curseur.execute("BEGIN; SELECT FROM dettes_dette ORDER BY id FOR NO KEY UPDATE")
            yield
            curseur.execute("ROLLBACK")
    finally:
        autre.close()


@pytest.fixture
def demarche():
    return demander(Decimal("120.00"))


@pytest.fixture
def payer(client, demarche):
    client.force_login(demarche.auteur)
    adresse = reverse("paiements:payer", args=[demarche.reference])
    return lambda **champs: client.post(adresse, {"empreinte": empreinte(demarche)} | champs)


def test_la_page_dit_d_attendre_et_rien_n_est_demande(payer, demarche):
    with dettes_tenues():
        page = payer()

    demarche.refresh_from_db()
    assert page.status_code == 503
    assert "Vos dettes sont en cours de mise à jour" in page.content.decode()
    assert (demarche.etat, Paiement.objects.count()) == (Etat.BROUILLON, 0)


def test_la_page_repart_seule_avec_ce_qui_avait_ete_vu(payer):
    with dettes_tenues():
        page = payer()

    assert "data-soumettre-seul" in page.content.decode()
    assert payer(empreinte=page.context["empreinte"], essai=page.context["essai"]).status_code == 302
    assert Paiement.objects.exists()


def test_au_bout_de_deux_minutes_elle_ne_repart_plus(payer):
    with dettes_tenues():
        page = payer(essai=views.ESSAIS_DE_PAYER)

    assert "data-soumettre-seul" not in page.content.decode()
    assert "Réessayer" in page.content.decode()
