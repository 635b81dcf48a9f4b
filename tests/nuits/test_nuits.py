"""Des nuits de Caf, de plateforme et de service : les trois livres finissent égaux, au centime, chaque écart nommé."""

import logging
import os
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from paiements.models import Anomalie
from paiements.payzen import rest
from paiements.surveillance.invariants import verifier
from tests.factories import CafFactory
from tests.nuits import plateforme
from tests.nuits.caf_simulee import CafSimulee
from tests.nuits.nuit import Nuits

# Trente au rapport : NUITS=30.
NUITS = int(os.environ.get("NUITS", "5"))
SAUVEE = 3

logger = logging.getLogger(__name__)


@pytest.fixture
def nuits(live_server, tmp_path, monkeypatch, settings):
    """Le simulateur dans son processus, le service derrière un vrai serveur HTTP, la Caf à côté."""
    monkeypatch.setattr(rest, "ATTENTE_S", 0)
    CafFactory(code="661")
    alea = Random(13)  # noqa: S311 (un tirage qui se rejoue)
    caf = CafSimulee("661", alea, timezone.now() - timedelta(hours=12))
    caf.naitre(15)
    with plateforme.ouvrir("66100001", tmp_path, live_server.url) as banque:
        settings.PAYZEN_BOUTIQUES = banque.get_boutiques()
        yield Nuits(banque, caf, tmp_path, alea)


def vivre(nuits, rang):
    """Une nuit sur dix, la base se sauve au milieu du jour ; elle se perd au soir du lendemain, et s'y rétablit."""
    logger.info("nuit %s", rang)  # NUITS=30 se suit par pytest --log-cli-level INFO
    nuits.rang = rang
    nuits.payer(3)
    if rang % 10 == SAUVEE:
        nuits.sauver()
    nuits.payer(2)
    nuits.soir(sans="JT" if rang % 3 == 2 else "")
    nuits.incidents()
    nuits.matin()
    nuits.rendre(perdu=rang % 4 == 3)
    nuits.caf.retenir(3)
    nuits.livrer(tue=rang % 5 == 4, desordre=rang % 5 == 2)
    assert nuits.lister_les_doubles_comptes() == []
    if rang % 10 == SAUVEE + 1:
        nuits.restaurer()


def test_les_trois_livres_finissent_egaux_apres_des_nuits_de_tout_ce_qui_arrive(nuits):
    nuits.livrer()

    for rang in range(1, NUITS + 1):
        vivre(nuits, rang)
    # Le calme revient : les journaux complets, les fichiers retrouvés, deux échanges.
    for rang in (NUITS + 1, NUITS + 2):
        nuits.rang = rang
        nuits.soir()
        nuits.matin()
        nuits.rendre()
        nuits.livrer()

    logger.info("%s nuits : %s", NUITS, dict(nuits.evenements))
    assert nuits.lister_les_differences() == []
    assert [v for v in verifier() if v.invariant.nom != "gardes_en_place"] == []
    assert nuits.evenements["restaurations"] == (NUITS + 10 - SAUVEE - 1) // 10
    assert not Anomalie.objects.ouvertes().filter(transaction=None, dette=None).exists()
