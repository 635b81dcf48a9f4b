"""Chaque invariant, violé exprès, est signalé ; et lui seul."""

import json
from contextlib import contextmanager
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from dettes.encaissements import emettre
from dettes.models import Mouvement
from paiements import restitution
from paiements.imputation import imputer_un_lot
from paiements.invariants import INVARIANTS, verifier
from paiements.reprise import proposer, reprendre
from tests.factories import AgentFactory, PaiementFactory, demander, dire

pytestmark = pytest.mark.django_db


@contextmanager
def gardes_eteintes():
    """La base ne garde plus rien : c'est ce qu'il faut pour fausser ce qu'elle protège."""
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        yield curseur
        curseur.execute("SET LOCAL session_replication_role = origin")


def rembourser_en_partie(paiement, agent):
    dire(paiement, "CAPTURED", operation="CREDIT", montant=Decimal(20), uuid=f"{paiement.pk:032x}")
    alerte = paiement.anomalies.get(genre="ANNULATION_BANQUE")
    parts = {imputation.pk: part for imputation, part in proposer(alerte).items()}
    reprendre(alerte, parts, motif="test", agent=agent)


@pytest.fixture
def service(tmp_path, plateforme):
    """
    Un peu de tout : en attente, accepté, vérifié, imputé, refusé, rejeté ; repris d'une dette, d'un reste ; restitué
    sur notre ordre ; un ordre approuvé, un ticket à envoyer, un fichier émis, une démarche à demander.
    """
    agent, comptable = AgentFactory().utilisateur, AgentFactory(role="COMPTABLE").utilisateur
    for trait in ({}, {"accepte": True}, {"impute": True}, {"refuse": True}):
        PaiementFactory(**trait)
    rembourser_en_partie(PaiementFactory(impute=True), agent)
    reste = PaiementFactory(verifie=True)
    dette = reste.demarche.lignes.get().dette
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=Decimal(-880), origine="livraison")
    imputer_un_lot()
    rembourser_en_partie(reste, agent)
    dire(PaiementFactory(impute=True), "CANCELLED")
    for execute in (True, False):
        paiement = PaiementFactory(impute=True)
        demande = restitution.decider(
            restitution.demander(paiement, motif="test", agent=agent), accord=True, agent=comptable
        )
        if execute:
            plateforme(paiement, "CANCELLED")
            restitution.executer(demande)
    PaiementFactory(demarche=demander(Decimal(120), courriel="personne@exemple.fr"), accepte=True)
    emettre(paiement.caf, tmp_path)
    PaiementFactory(verifie=True)
    demander(Decimal(50))


# Une faute par clause : (invariant, ce qui le viole).
FAUTES = [
    ("total_des_lignes", "UPDATE demarches_lignedemarche SET montant = montant + 0.01"),
    ("solde_et_mouvements", "UPDATE dettes_dette SET solde = solde + 0.01"),
    (
        "solde_et_mouvements",
        "ALTER TABLE dettes_dette DROP CONSTRAINT dette_jamais_sous_zero; UPDATE dettes_dette SET solde = -1;"
        " UPDATE dettes_mouvement m SET montant = d.solde - d.montant_initial FROM dettes_dette d"
        " WHERE d.id = m.dette_id AND m.genre = 'IMPUTATION'",
    ),
    ("constat", "DELETE FROM dettes_mouvement WHERE genre = 'CONSTAT'"),
    ("aucun_euro_sans_case", "DELETE FROM paiements_imputation"),
    ("aucun_euro_sans_case", "DELETE FROM paiements_reprise WHERE imputation_id IS NULL"),
    ("aucun_euro_sans_case", "UPDATE paiements_paiement SET statut = 'VERIFIE' WHERE statut = 'IMPUTE'"),
    ("aucun_euro_sans_case", "UPDATE paiements_anomalie SET montant = 99 WHERE genre = 'RELIQUAT'"),
    ("argent_repris_des_dettes", "UPDATE dettes_mouvement SET origine = 'ailleurs' WHERE genre = 'REJET'"),
    ("argent_repris_des_dettes", "UPDATE paiements_paiement SET statut = 'IMPUTE' WHERE statut = 'REJETE'"),
    ("argent_repris_des_dettes", "DELETE FROM paiements_reprise WHERE imputation_id IS NOT NULL"),
    (
        "argent_reparti_prouve",
        "DELETE FROM paiements_notificationpayzen WHERE cle ~ ':CANCELLED:'",
    ),
    ("argent_reparti_prouve", "DELETE FROM paiements_demanderestitution WHERE etat = 'FAITE'"),
    ("argent_reparti_prouve", "UPDATE paiements_paiement SET statut = 'IMPUTE' WHERE statut = 'RESTITUE'"),
    ("soldes_enchaines", "UPDATE dettes_mouvement SET solde_apres = solde_apres + 1 WHERE genre = 'IMPUTATION'"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET total = total + 0.01"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET lignes = lignes + 1"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET sequence = 2"),
    ("imputation_et_mouvement", "UPDATE dettes_mouvement SET origine = 'ailleurs' WHERE genre = 'IMPUTATION'"),
    ("imputation_et_mouvement", "UPDATE paiements_imputation SET montant = montant - 0.01"),
    ("imputation_et_mouvement", "UPDATE dettes_mouvement SET genre = 'RETENUE' WHERE genre = 'IMPUTATION'"),
    ("imputation_et_mouvement", "UPDATE paiements_imputation SET dette_id = (SELECT max(id) FROM dettes_dette)"),
    ("reprise_et_mouvement", "UPDATE paiements_reprise SET montant = montant - 0.01 WHERE imputation_id IS NOT NULL"),
    ("reprise_et_mouvement", "UPDATE dettes_mouvement SET genre = 'REMISE' WHERE genre = 'REJET'"),
    ("reprise_et_mouvement", "UPDATE dettes_mouvement SET origine = 'ailleurs' WHERE genre = 'REJET'"),
    (
        "reprise_et_mouvement",
        "UPDATE paiements_reprise SET imputation_id = (SELECT max(id) FROM paiements_imputation)"
        " WHERE imputation_id IS NOT NULL",
    ),
    ("mouvement_sans_imputation", "DELETE FROM paiements_imputation"),
    ("journal_sans_trou", "DELETE FROM paiements_etapepaiement WHERE geste = 'verifier'"),
    ("journal_sans_trou", "DELETE FROM paiements_etapepaiement"),
    ("journal_sans_trou", "UPDATE paiements_paiement SET statut = 'EXPIRE' WHERE statut = 'EN_ATTENTE'"),
    ("journal_sans_trou", "UPDATE paiements_etapepaiement SET geste = 'expirer' WHERE geste = 'refuser'"),
    ("demarche_suit_le_paiement", "UPDATE demarches_demarche SET etat = 'REFUSEE'"),
    (
        "demarche_suit_le_paiement",
        "UPDATE paiements_paiement SET demarche_id = (SELECT id FROM demarches_demarche WHERE etat = 'BROUILLON')"
        " WHERE statut = 'REFUSE'",
    ),
    ("accord_prouve", "DELETE FROM paiements_notificationpayzen"),
    ("rien_d_oublie", "UPDATE paiements_paiement SET prochain_controle_le = NULL WHERE statut = 'EN_ATTENTE'"),
    ("rien_d_oublie", "UPDATE paiements_paiement SET prochain_controle_le = NULL WHERE statut = 'ACCEPTE'"),
    ("rien_d_oublie", "UPDATE paiements_paiement SET prochain_controle_le = NULL WHERE statut = 'IMPUTE'"),
    ("rien_en_retard", "UPDATE paiements_paiement SET prochain_controle_le = now() - interval '6 minutes'"),
    ("rien_en_retard", "UPDATE paiements_etapepaiement SET le = now() - interval '6 minutes'"),
    ("rien_en_retard", "UPDATE paiements_ticket SET prochain_essai_le = now() - interval '6 minutes'"),
    (
        "rien_en_retard",
        "UPDATE paiements_demanderestitution SET prochain_essai_le = now() - interval '6 minutes'"
        " WHERE etat = 'APPROUVEE'",
    ),
    ("rien_en_retard", "UPDATE paiements_demanderestitution SET prochain_essai_le = NULL WHERE etat = 'APPROUVEE'"),
    ("rien_en_retard", "UPDATE paiements_demanderestitution SET decidee_le = now() - interval '4 days'"),
    ("ticket_de_chaque_accord", "DELETE FROM paiements_ticket"),
    ("gardes_en_place", "ALTER TABLE dettes_mouvement DISABLE TRIGGER USER"),
    ("gardes_en_place", "ALTER TABLE paiements_reprise DISABLE TRIGGER USER"),
]


def test_un_service_sain_n_a_aucune_violation(service):
    assert list(verifier()) == []


def test_chaque_invariant_a_sa_faute():
    assert {nom for nom, _ in FAUTES} == {invariant.nom for invariant in INVARIANTS}


@pytest.mark.parametrize(("nom", "sql"), FAUTES)
def test_une_faute_est_signalee(service, nom, sql):
    with connection.cursor() as curseur:
        # Les contraintes différées de la préparation se règlent avant de toucher aux tables.
        curseur.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with gardes_eteintes() as curseur:
        curseur.execute(sql)

    assert nom in {violation.invariant.nom for violation in verifier()}


def test_la_commande_rend_du_json_et_echoue_sur_une_violation(service):
    with gardes_eteintes() as curseur:
        curseur.execute("UPDATE demarches_lignedemarche SET montant = montant + 0.01")
    sortie = StringIO()

    with pytest.raises(SystemExit) as fin:
        call_command("verifier_invariants", "--json", stdout=sortie)

    rendu = json.loads(sortie.getvalue())
    assert fin.value.code == 1
    assert {v["invariant"] for v in rendu["violations"]} == {"total_des_lignes"}


def test_la_commande_dit_que_tout_va_bien(service):
    sortie = StringIO()

    call_command("verifier_invariants", stdout=sortie)

    assert f"{len(INVARIANTS)} invariants vérifiés, 0 violation(s)." in sortie.getvalue()
