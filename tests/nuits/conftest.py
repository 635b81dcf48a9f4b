"""La démonstration et son PayZen simulé, le service derrière un vrai serveur HTTP."""

import pytest

from comptes.models import Caf
from outils.systeme import RACINE
from paiements.payzen import rest
from tests.nuits import plateforme
from tests.nuits.journee import CAF, gerer, laisser_passer_minuit


@pytest.fixture
def demonstration(live_server, tmp_path, monkeypatch, settings):
    """Les Caf et la livraison d'exemple de la démonstration, son PayZen simulé, le service derrière HTTP."""
    monkeypatch.setattr(rest, "ATTENTE_S", 0)
    laisser_passer_minuit()
    gerer("charger_cafs", "--appliquer")
    Caf.objects.filter(pk=CAF).update(boutique="66100001")
    gerer("importer_livraison", str(RACINE / "donnees/exemple" / CAF), "--appliquer", "--rejets", str(tmp_path))
    with plateforme.ouvrir("66100001", tmp_path, live_server.url) as banque:
        settings.PAYZEN_BOUTIQUES = banque.get_boutiques()
        yield banque
