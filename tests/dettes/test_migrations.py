"""Les migrations des dettes passent pendant que le service paie, se défont, et la version d'avant écrit encore."""

import threading
import time
from decimal import Decimal
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from dettes.encaissements import emettre
from dettes.models import FichierEmis, Mouvement, MouvementARendre, Plausibilite
from paiements.surveillance.invariants import verifier
from tests.factories import CafFactory, DetteFactory, PaiementFactory

A_RENDRE = import_module("dettes.migrations.0010_ce_qui_reste_a_rendre")
# Comme la version d'avant les écrit : sans les colonnes venues depuis.
FICHIER = """
INSERT INTO dettes_fichieremis (caf_id, sequence, empreinte, lignes, total, emis_le)
SELECT caf_id, 1, '', 0, 0, now() FROM dettes_dette RETURNING id
"""
LIGNES = """
INSERT INTO dettes_ligneemise (fichier_id, mouvement_id)
SELECT f.id, m.id FROM dettes_fichieremis f, dettes_mouvement m WHERE m.genre = 'IMPUTATION' RETURNING id
"""
COMPTER = "UPDATE dettes_fichieremis SET lignes = 1, total = 120"
PLAUSIBILITE = """
INSERT INTO dettes_plausibilite
    (caf_id, disparitions, total, personnes, mediane, dettes_au_moins, montant_maximal)
SELECT code, 10, 20, 20, 50, 20, 500000 FROM comptes_caf
"""


@pytest.fixture
def a_jour(transactional_db):
    """Une base où l'essai défait des migrations : elles reviennent toutes, quoi qu'il arrive."""
    yield
    migrer()


def migrer(*jusqu_a):
    call_command("migrate", *jusqu_a, verbosity=0)


def executer(*ordres):
    with connection.cursor() as curseur:
        for ordre in ordres:
            curseur.execute(ordre)


def imputer(dette):
    Mouvement.objects.create(dette=dette, genre="IMPUTATION", montant=Decimal(-120), origine="P-1")


def pendant(geste):
    """Migre pendant que la transaction de ce geste est ouverte ; elle se valide quand la migration l'attend."""

    def passer():
        migrer()
        connection.close()

    fil = threading.Thread(target=passer)
    with transaction.atomic(), connection.cursor() as curseur:
        geste()
        fil.start()
        attendu = False
        while fil.is_alive() and not attendu:
            time.sleep(0.01)
            curseur.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation IN"
                " ('dettes_mouvement'::regclass, 'dettes_ligneemise'::regclass))"
            )
            (attendu,) = curseur.fetchone()
    fil.join()
    assert attendu


def test_un_paiement_impute_pendant_la_migration_partira(a_jour):
    dette = DetteFactory()
    migrer("dettes", "0009")

    pendant(lambda: imputer(dette))

    assert MouvementARendre.objects.get().mouvement.genre == "IMPUTATION"


def test_un_mouvement_parti_pendant_la_migration_n_est_plus_a_rendre(a_jour):
    imputer(DetteFactory())
    migrer("dettes", "0009")

    pendant(lambda: executer(FICHIER, LIGNES))

    assert not MouvementARendre.objects.exists()


def test_ce_qui_reste_a_rendre_se_defait_et_se_refait(a_jour, tmp_path):
    caf = PaiementFactory(impute=True).caf
    emettre(caf, tmp_path)
    PaiementFactory(impute=True)
    a_rendre = set(MouvementARendre.objects.values_list("mouvement", "caf"))

    migrer("dettes", "0008")
    migrer()

    assert set(MouvementARendre.objects.values_list("mouvement", "caf")) == a_rendre
    assert len(a_rendre) == 1
    assert emettre(caf, tmp_path).lignes == 1
    assert list(verifier()) == []


def test_une_absence_dite_avant_que_la_base_la_garde_reste_dite(a_jour, tmp_path):
    caf = PaiementFactory(impute=True).caf
    emettre(caf, tmp_path)
    PaiementFactory(impute=True)
    emettre(caf, tmp_path, plancher=4)
    PaiementFactory(impute=True)
    emettre(caf, tmp_path)

    migrer("dettes", "0011")
    migrer()

    assert list(FichierEmis.objects.order_by("sequence").values_list("sequence", "plancher")) == [
        (1, 0),
        (5, 4),
        (6, 0),
    ]
    assert list(verifier()) == []
    with pytest.raises(DatabaseError, match="fichier_emis_jamais_retouche"):
        executer(COMPTER)


def test_la_version_d_avant_emet_encore(db):
    imputer(DetteFactory())

    executer(FICHIER, LIGNES, COMPTER)

    assert FichierEmis.objects.get().plancher == 0
    assert not MouvementARendre.objects.exists()


def test_la_version_d_avant_regle_encore_les_bornes_d_une_caf(db):
    CafFactory()

    executer(PLAUSIBILITE)

    assert Plausibilite.objects.get().trop_percus == Plausibilite().trop_percus


def test_le_service_impute_entre_la_migration_et_ses_droits(db):
    """Les droits ne se repassent qu'après toutes les migrations : la nouvelle table s'écrit avant."""
    DetteFactory()
    executer(
        "CREATE ROLE rembourser_service",
        "GRANT SELECT, INSERT, UPDATE ON dettes_dette, dettes_mouvement, dettes_ligneemise TO rembourser_service",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO rembourser_service",
        "GRANT SELECT, INSERT ON dettes_fichieremis TO rembourser_service",
        A_RENDRE.DROITS,
        "SET LOCAL ROLE rembourser_service",
        "INSERT INTO dettes_mouvement (dette_id, genre, montant, solde_apres, origine, motif, le)"
        " SELECT id, 'IMPUTATION', -120, 0, 'P-1', '', now() FROM dettes_dette",
        FICHIER,
        LIGNES,
        "RESET ROLE",
    )

    assert not MouvementARendre.objects.exists()
