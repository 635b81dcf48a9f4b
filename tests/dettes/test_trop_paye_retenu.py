"""Un trop-payé retenu ne ressuscite pas sa dette : la version 1, ou une absence, tait ce qui manque à un zéro."""

from decimal import Decimal

import pytest

from dettes import encaissements
from dettes.importation import importer
from dettes.models import Dette
from paiements.retours import impaye
from paiements.surveillance.invariants import verifier
from tests.factories import AgentFactory, DemarcheFactory, PaiementFactory

SOLDEE = {"solde": "0", "situation": "SOLDEE"}


@pytest.fixture(autouse=True)
def chez_soi(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def prendre(livrer, django_capture_on_commit_callbacks):
    """`prendre([{...}], sequence=2)` livre, prend, et retient ce qui est de trop."""

    def _prendre(dettes, **manifeste):
        dossier = livrer(dettes, **manifeste)
        with django_capture_on_commit_callbacks(execute=True):
            return importer(dossier)

    return _prendre


@pytest.fixture
def retenu(prendre, tmp_path):
    """120 € partis dans le fichier n° 1, que la Caf n'a pas déduit quand elle dit 50 € : 70 retenus, dans le n° 2."""
    prendre([{}])
    dette = Dette.objects.get()
    demarche = DemarcheFactory(auteur=dette.allocataire.utilisateurs.get(), lignes={dette: Decimal(120)})
    paiement = PaiementFactory(demarche=demarche, impute=True)
    encaissements.emettre(dette.caf, tmp_path / "emis")
    prendre([{"solde": "5000"}], sequence=2)
    encaissements.emettre(dette.caf, tmp_path / "emis")
    return paiement


@pytest.mark.parametrize(
    ("dettes", "mode", "version"),
    [
        ([SOLDEE], "differentiel", 1),
        ([{"solde": "0"}], "complet", 1),
        ([], "complet", 1),
        ([], "complet", 2),
        ([SOLDEE | {"solde_crediteur": "7000"}], "complet", 2),
    ],
)
def test_la_dette_dont_le_trop_est_retenu_reste_a_zero(retenu, prendre, dettes, mode, version):
    prendre(dettes, sequence=3, mode=mode, version=version, derniere_sequence_encaissements=1)

    retenu.refresh_from_db()
    dette = Dette.objects.get()
    assert (dette.solde, dette.is_payable, retenu.a_placer) == (0, False, 70)
    assert [v for v in verifier() if v.invariant.nom in ("solde_et_mouvements", "constat")] == []


@pytest.mark.parametrize("version", [1, 2])
def test_la_caf_a_jour_dit_la_meme_chose(retenu, prendre, version):
    prendre([SOLDEE], sequence=3, version=version, derniere_sequence_encaissements=2)

    dette = Dette.objects.get()
    assert (dette.solde, dette.situation) == (0, "SOLDEE")


def test_une_dette_soldee_de_credit_ne_redevient_pas_en_cours(retenu, prendre):
    prendre([SOLDEE | {"solde_crediteur": "7000"}], sequence=3, version=2, derniere_sequence_encaissements=1)

    assert Dette.objects.get().situation == "SOLDEE"


def test_ce_que_la_banque_reprend_ensuite_remonte_la_dette_sans_ce_qui_est_retenu(retenu, prendre):
    impaye.enregistrer(retenu, motif="impayé", agent=AgentFactory(role="COMPTABLE").utilisateur)

    prendre([SOLDEE], sequence=3, derniere_sequence_encaissements=1)

    dette = Dette.objects.get()
    assert (dette.solde, dette.situation) == (50, "EN_COURS")


def test_ce_que_la_caf_reclame_de_nouveau_se_doit(retenu, prendre):
    """Elle dit 10 € alors qu'elle croit encore avoir reçu 120 : elle en a rendu 80, et le fichier n° 2 en dira 70."""
    prendre([{"solde": "1000"}], sequence=3, derniere_sequence_encaissements=1)

    assert Dette.objects.get().solde == 80
