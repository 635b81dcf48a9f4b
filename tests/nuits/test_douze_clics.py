"""Douze personnes paient à la fois des dettes qu'un import tient : chacune lit d'attendre, sans une panne."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.contrib.auth.hashers import make_password
from django.db import connection

from comptes.models import Utilisateur
from outils.essai.constats import CLICS, aller_au_recapitulatif, cliquer
from outils.essai.payeur import Payeur
from paiements.models import Paiement
from tests.factories import MOT_DE_PASSE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payeurs(demonstration, live_server, settings):
    """Douze personnes entrées, chacune avec de quoi payer un euro."""
    settings.ADRESSE_PUBLIQUE = live_server.url
    Utilisateur.objects.update(password=make_password(MOT_DE_PASSE))
    riches = Utilisateur.objects.filter(allocataire__dettes__solde__gte=50).distinct().order_by("pk")[:CLICS]
    entres = [(Payeur(live_server.url, "", MOT_DE_PASSE), personne.identifiant) for personne in riches]
    for payeur, identifiant in entres:
        payeur.entrer(identifiant)
    return [payeur for payeur, _ in entres]


@pytest.fixture
def dettes_tenues():
    """Une autre connexion tient toutes les dettes, comme un import."""
    import_ = connection.copy()
    with import_.cursor() as curseur:
        curseur.execute("BEGIN; SELECT FROM dettes_dette FOR UPDATE")
        yield lambda: curseur.execute("ROLLBACK")
    import_.close()


def cliquer_ensemble(payeurs, recapitulatifs):
    with ThreadPoolExecutor(CLICS) as ensemble:
        return [code for code, _ in ensemble.map(cliquer, payeurs, recapitulatifs)]


def test_douze_clics_attendent_puis_partent(payeurs, live_server, request):
    recapitulatifs = [aller_au_recapitulatif(payeur) for payeur in payeurs]
    rendre = request.getfixturevalue("dettes_tenues")

    tenues = cliquer_ensemble(payeurs, recapitulatifs)
    sante = requests.get(f"{live_server.url}/sante/", timeout=60).status_code
    rendre()

    assert (tenues, sante) == ([503] * CLICS, 200)
    assert not Paiement.objects.exists()
    assert cliquer_ensemble(payeurs, recapitulatifs) == [200] * CLICS
    assert Paiement.objects.count() == CLICS
