"""Les droits SQL du service : il fait tout son travail, et ne peut ni retoucher un journal ni éteindre une garde."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.db import DatabaseError, ProgrammingError, connection, transaction

from dettes.encaissements import emettre
from dettes.models import Dette
from paiements.retours import cloture, impaye, reprise, restitution
from paiements.surveillance import invariants
from tests.factories import AgentFactory, DetteFactory, FaitFactory, PaiementFactory, dire, repondre
from tests.pannes.livraison import ouvrir_les_fichiers

pytestmark = pytest.mark.django_db

DROITS = Path(__file__).parents[2] / "docs" / "droits.sql"
JOURNAUX = (
    "dettes_mouvement",
    "paiements_etapepaiement",
    "paiements_etapeanomalie",
    "paiements_messagepayzen",
    "paiements_imputation",
    "paiements_impaye",
    "paiements_partrestituee",
)
INEFFACABLES = (
    *JOURNAUX,
    "paiements_paiement",
    "paiements_transactionpayzen",
    "paiements_anomalie",
    "paiements_demanderestitution",
    "paiements_demandecloture",
    "paiements_demandemisedecote",
    "dettes_dette",
    "dettes_ligneemise",
    "dettes_fichierrecu",
    "dettes_fichieremis",
)
# Ce que seul un déploiement change, et les traces de qui a fait et regardé quoi.
FIGEES = (
    *("django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions"),
    *("django_admin_log", "comptes_evenement"),
)


@pytest.fixture
def service():
    """Le compte du service, le temps d'une transaction qui s'annulera."""
    with connection.cursor() as curseur:
        curseur.execute(DROITS.read_text())
        curseur.execute("SET LOCAL ROLE rembourser_service")
        yield curseur
        curseur.execute("RESET ROLE")


def test_le_service_fait_tout_son_travail(service, tmp_path):
    paiement = PaiementFactory(impute=True)
    agent = AgentFactory().utilisateur
    debit = FaitFactory(paiement=paiement, statut="CAPTURED", source="REST")
    part = {"montant": Decimal(20), "uuid": "c" * 32, "operation": "CREDIT", "parent": debit.uuid, "source": "REST"}
    repondre(paiement, debit, FaitFactory(paiement=paiement, statut="CAPTURED", **part))
    paiement.refresh_from_db()
    parts = {dette.pk: part for dette, part in reprise.proposer(paiement).items()}
    reprise.reprendre(paiement.anomalies.get(), parts, motif="vu", agent=agent)
    restitution.demander(paiement, motif="erreur", agent=agent)
    impaye.enregistrer(PaiementFactory(impute=True), motif="journal du jour", agent=agent)
    cloture.demander(PaiementFactory(), motif="boutique fermée", agent=agent)
    dire(PaiementFactory(), "REFUSED")
    emettre(paiement.caf, tmp_path)
    with ouvrir_les_fichiers(paiement.caf) as fichiers:
        fichiers.livrer(DetteFactory(), Decimal(100), "EN_COURS")

    assert Dette.objects.filter(solde=100).exists()
    assert not list(invariants.verifier())


@pytest.mark.parametrize(
    "faute",
    [
        *(f"TRUNCATE {table} CASCADE" for table in (*JOURNAUX, "paiements_paiement", "dettes_dette")),
        *(f"DELETE FROM {table}" for table in INEFFACABLES),  # noqa: S608 (des noms de tables à nous)
        *(f"UPDATE {table} SET id = id" for table in JOURNAUX),  # noqa: S608 (idem)
        *(f"UPDATE {table} SET id = id" for table in FIGEES),  # noqa: S608 (idem)
        *(f"DELETE FROM {table}" for table in FIGEES),  # noqa: S608 (idem)
        "UPDATE dettes_fichieremis SET caf_id = caf_id",
        "UPDATE dettes_ligneemise SET fichier_id = fichier_id",
        "UPDATE dettes_mouvementarendre SET caf_id = caf_id",
        "INSERT INTO comptes_utilisateur_groups (utilisateur_id, group_id) VALUES (1, 1)",
        "CREATE TABLE a_moi (id integer)",
        "ALTER TABLE dettes_mouvement DISABLE TRIGGER USER",
        "SET session_replication_role = replica",
    ],
)
def test_le_service_ne_peut_ni_retoucher_ni_vider_ni_eteindre(service, faute):
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction.atomic():
        service.execute(faute)


def test_le_service_n_eteint_aucune_garde_par_un_reglage(service):
    """Pgtrigger laisse toute session taire une garde en la nommant dans un réglage : pas celle du service."""
    dette = DetteFactory()
    service.execute("SELECT array_agg(tgname)::text FROM pg_trigger WHERE NOT tgisinternal")
    service.execute("SELECT set_config('pgtrigger.ignore', %s, true)", service.fetchone())

    with pytest.raises(DatabaseError, match="Le solde ne change que par un mouvement"), transaction.atomic():
        service.execute("UPDATE dettes_dette SET solde = 0 WHERE id = %s", [dette.pk])
