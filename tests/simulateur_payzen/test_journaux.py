"""Les journaux déposés, chaque nuit et à la demande : les nôtres les lisent tels quels."""

from datetime import UTC, datetime, timedelta

import pytest

from paiements.payzen import read_journal
from tests.simulateur_payzen.plateforme import SITE, attendre, poster


@pytest.fixture
def deposer(simulateur):
    """Dépose les journaux d'aujourd'hui ; rend ce que notre lecteur en lit, par genre."""

    def _deposer():
        reponse = poster(f"{simulateur.base}/controle/journaux/").json()
        lus = [read_journal(nom, (simulateur.dossier / "journaux" / nom).read_bytes()) for nom in reponse["journaux"]]
        return {lu.genre: lu for lu in lus}

    return _deposer


def test_les_quatre_journaux_se_deposent_et_se_lisent(simulateur, deposer):
    transaction = simulateur.payer()
    simulateur.faire(transaction["uuid"], "remettre")

    lus = deposer()

    assert set(lus) == {"JT", "JO", "JRB", "JRI"}
    [jt], [jo], [jrb] = (lus[genre].lignes for genre in ("JT", "JO", "JRB"))
    assert (jt.uuid, jt.statut, jt.reference) == (transaction["uuid"], "CAPTURED", transaction["order_id"])
    assert jt.trans_id == jo.trans_id == jrb.trans_id
    assert (jrb.operation, jrb.statut, str(jrb.montant)) == ("DEBIT", "MATCH_OK", "45.25")
    assert (lus["JT"].boutique, lus["JRI"].lignes) == (SITE, ())
    assert all(journal.inconnues == () for journal in lus.values())


def test_un_impaye_et_sa_fin_sont_deux_lignes(simulateur, deposer):
    transaction = simulateur.payer()
    for geste in ("remettre", "impaye", "finir_impaye"):
        assert simulateur.faire(transaction["uuid"], geste).status_code == 200

    pris, fini = deposer()["JRI"].lignes

    assert (pris.operation, fini.operation) == ("DEBIT", "CREDIT")
    assert pris.cle != fini.cle


def test_un_impaye_ne_finit_qu_une_fois(simulateur):
    transaction = simulateur.payer()
    for geste in ("remettre", "impaye", "finir_impaye"):
        simulateur.faire(transaction["uuid"], geste)

    assert simulateur.faire(transaction["uuid"], "finir_impaye").status_code == 409


def test_ceux_de_la_veille_se_deposent_d_eux_memes(simulateur):
    simulateur.payer()
    veille = datetime.now(UTC).date() - timedelta(days=1)

    attendre(lambda: (simulateur.dossier / "journaux" / f"TEST_JT_SHOP_{SITE}_{veille:%y%m%d}.csv").exists(), 60)
