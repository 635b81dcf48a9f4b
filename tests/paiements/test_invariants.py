"""Chaque invariant, violé exprès, est signalé ; et lui seul."""

import json
from contextlib import contextmanager
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from paiements.invariants import INVARIANTS, verifier
from paiements.reprise import proposer, reprendre
from tests.factories import AgentFactory, DetteFactory, PaiementFactory, dire

pytestmark = pytest.mark.django_db


@contextmanager
def gardes_eteintes():
    """La base ne garde plus rien : c'est ce qu'il faut pour fausser ce qu'elle protège."""
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        yield curseur
        curseur.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def service():
    """Un peu de tout : en attente, accepté, vérifié, imputé, repris en partie, rejeté, refusé."""
    for trait in ({}, {"accepte": True}, {"verifie": True}, {"impute": True}, {"refuse": True}):
        PaiementFactory(**trait)
    dire(PaiementFactory(impute=True), "CANCELLED")
    rendu = PaiementFactory(impute=True)
    dire(rendu, "CAPTURED", operation="CREDIT", montant=Decimal(20), uuid="c" * 32)
    alerte = rendu.anomalies.get()
    parts = {imputation.pk: part for imputation, part in proposer(alerte).items()}
    reprendre(alerte, parts, motif="test", agent=AgentFactory().utilisateur)


FAUTES = {
    "total_des_lignes": "UPDATE demarches_lignedemarche SET montant = montant + 0.01",
    "solde_et_mouvements": "UPDATE dettes_dette SET solde = solde - 0.01",
    "constat": "DELETE FROM dettes_mouvement WHERE genre = 'CONSTAT'",
    "aucun_euro_sans_case": "DELETE FROM paiements_imputation",
    "argent_repris_des_dettes": "UPDATE dettes_mouvement SET origine = 'ailleurs' WHERE genre = 'REJET'",
    "imputation_et_mouvement": "UPDATE dettes_mouvement SET origine = 'ailleurs' WHERE genre = 'IMPUTATION'",
    "reprise_et_mouvement": "UPDATE paiements_reprise SET montant = montant - 0.01 WHERE imputation_id IS NOT NULL",
    "mouvement_sans_imputation": "DELETE FROM paiements_imputation",
    "journal_sans_trou": "DELETE FROM paiements_etapepaiement WHERE geste = 'verifier'",
    "demarche_suit_le_paiement": "UPDATE demarches_demarche SET etat = 'REFUSEE'",
    "accord_prouve": "DELETE FROM paiements_notificationpayzen",
    "rien_d_oublie": "UPDATE paiements_paiement SET prochain_controle_le = NULL",
    "rien_en_retard": "UPDATE paiements_paiement SET prochain_controle_le = now() - interval '6 minutes'",
    "ticket_de_chaque_accord": "UPDATE demarches_demarche SET courriel = 'personne@exemple.fr'",
    "gardes_en_place": "ALTER TABLE dettes_mouvement DISABLE TRIGGER USER",
}


def test_un_service_sain_n_a_aucune_violation(service):
    assert list(verifier()) == []


def test_chaque_invariant_a_sa_faute():
    assert set(FAUTES) == {invariant.nom for invariant in INVARIANTS}


@pytest.mark.parametrize("nom", FAUTES)
def test_une_faute_est_signalee(service, nom):
    with connection.cursor() as curseur:
        # Les contraintes différées de la préparation se règlent avant de toucher aux tables.
        curseur.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with gardes_eteintes() as curseur:
        curseur.execute(FAUTES[nom])

    assert nom in {violation.invariant.nom for violation in verifier()}


def test_la_commande_rend_du_json_et_echoue_sur_une_violation(service):
    DetteFactory()
    with gardes_eteintes() as curseur:
        curseur.execute(FAUTES["solde_et_mouvements"])
    sortie = StringIO()

    with pytest.raises(SystemExit) as fin:
        call_command("verifier_invariants", "--json", stdout=sortie)

    rendu = json.loads(sortie.getvalue())
    assert fin.value.code == 1
    assert {v["invariant"] for v in rendu["violations"]} == {"solde_et_mouvements"}


def test_la_commande_dit_que_tout_va_bien(service):
    sortie = StringIO()

    call_command("verifier_invariants", stdout=sortie)

    assert f"{len(INVARIANTS)} invariants vérifiés, 0 violation(s)." in sortie.getvalue()
