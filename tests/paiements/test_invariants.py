"""Chaque invariant, violé exprès, est signalé ; et lui seul."""

import json
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
import responses
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from dettes.encaissements import emettre
from dettes.models import Mouvement
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Liaison, Paiement
from paiements.retours import impaye, ordres, reprise, restitution
from paiements.surveillance.invariants import INVARIANTS, verifier
from socle.commandes import Code
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, demander, dire, repondre
from tests.pannes import comptes_justes

pytestmark = pytest.mark.django_db


@contextmanager
def gardes_eteintes():
    """La base ne garde plus rien : c'est ce qu'il faut pour fausser ce qu'elle protège."""
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        yield curseur
        curseur.execute("SET LOCAL session_replication_role = origin")


def rembourser_en_partie(paiement, agent):
    """La banque rend 20 € au porteur ; relue, elle nomme le débit, et un agent les reprend d'une dette."""
    debit = FaitFactory(paiement=paiement, statut="CAPTURED", source="REST")
    part = {"montant": Decimal(20), "uuid": f"{paiement.pk:032x}", "operation": "CREDIT", "parent": debit.uuid}
    repondre(paiement, debit, FaitFactory(paiement=paiement, statut="CAPTURED", source="REST", **part))
    paiement.refresh_from_db()
    for anomalie in paiement.anomalies.ouvertes().filter(genre="ANNULATION_BANQUE"):
        parts = {dette.pk: part for dette, part in reprise.proposer(paiement).items()}
        reprise.reprendre(anomalie, parts, motif="test", agent=agent)


def repondre_au_service(paiement, statut):
    """La plateforme REST dit ceci du débit de ce paiement."""
    debit = {
        "shopId": paiement.boutique,
        "uuid": paiement.debit_id,
        "detailedStatus": statut,
        "operationType": "DEBIT",
        "amount": 12000,
        "currency": "EUR",
        "orderDetails": {"orderId": paiement.reference, "mode": paiement.mode},
    }
    reponse = {"status": "SUCCESS", "mode": paiement.mode, "answer": {"transactions": [debit]}}
    responses.upsert("POST", f"{settings.PAYZEN_URL_API}Order/Get", json=reponse)


@responses.activate
def ouvrir_le_service(dossier):
    """
    Un peu de tout : en attente, accepté, vérifié, imputé, refusé, rejeté, impayé ; repris d'une dette, un reste ; un
    double ; restitué sur notre ordre ; un ordre approuvé, un autre sans effet, un ticket à envoyer, un fichier émis,
    une démarche à demander.
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
    dire(PaiementFactory(impute=True), "CAPTURED", uuid="d" * 32, trans_id="900002")
    dire(PaiementFactory(impute=True), "CAPTURED", uuid="c" * 32, operation="CREDIT", montant=Decimal(5))
    impaye.enregistrer(PaiementFactory(impute=True), motif="test", agent=comptable)
    for execute in (True, False):
        paiement = PaiementFactory(impute=True)
        demande = restitution.decider(
            restitution.demander(paiement, motif="test", agent=agent), accord=True, agent=comptable
        )
        if execute:
            repondre_au_service(paiement, "CANCELLED")
            ordres.executer(demande)
    echouee = restitution.demander(PaiementFactory(impute=True), motif="test", agent=agent)
    repondre_au_service(echouee.paiement, "AUTHORISED")
    ordres.abandonner(restitution.decider(echouee, accord=True, agent=comptable), motif="test", agent=agent)
    PaiementFactory(demarche=demander(Decimal(120), courriel="personne@exemple.fr"), accepte=True)
    emettre(paiement.caf, dossier)
    PaiementFactory(verifie=True)
    demander(Decimal(50))


@pytest.fixture(scope="module")
def service(django_db_setup, django_db_blocker, tmp_path_factory):
    """Le service, préparé une fois : chaque essai le fausse, et sa transaction, annulée, le rend juste."""
    with django_db_blocker.unblock(), transaction.atomic():
        ouvrir_le_service(tmp_path_factory.mktemp("encaissements"))
        with connection.cursor() as curseur:
            # Les contraintes différées de la préparation se règlent avant de toucher aux tables.
            curseur.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield
        transaction.set_rollback(True)


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
    ("argent_a_sa_place", "UPDATE paiements_anomalie SET etat = 'CLOSE' WHERE genre = 'RELIQUAT'"),
    ("argent_a_sa_place", "UPDATE paiements_anomalie SET transaction_id = NULL WHERE genre = 'DOUBLE_PAIEMENT'"),
    ("argent_a_sa_place", "UPDATE paiements_anomalie SET etat = 'SANS_OBJET' WHERE genre = 'ANNULATION_BANQUE'"),
    ("argent_a_sa_place", "UPDATE paiements_transactionpayzen SET montant = 119 WHERE montant = 120"),
    ("argent_a_sa_place", "DELETE FROM paiements_impaye; DELETE FROM paiements_anomalie WHERE genre = 'IMPAYE'"),
    (
        "argent_a_sa_place",
        "UPDATE paiements_transactionpayzen SET paiement_id = NULL WHERE uuid = repeat('d', 32);"
        " DELETE FROM paiements_anomalie WHERE genre = 'DOUBLE_PAIEMENT'",
    ),
    (
        "argent_a_sa_place",
        "UPDATE paiements_transactionpayzen SET statut = 'REFUSED' WHERE uuid IN"
        " (SELECT debit_id FROM paiements_paiement WHERE statut = 'IMPUTE')",
    ),
    ("rien_sur_les_dettes_avant_l_heure", "UPDATE paiements_paiement SET statut = 'VERIFIE' WHERE statut = 'IMPUTE'"),
    ("rien_sur_les_dettes_avant_l_heure", "DELETE FROM paiements_imputation WHERE montant < 0"),
    ("rien_sur_les_dettes_avant_l_heure", "UPDATE paiements_imputation SET montant = -121 WHERE montant < 0"),
    ("transaction_prouvee", "UPDATE paiements_transactionpayzen SET statut = 'CAPTURED' WHERE statut = 'AUTHORISED'"),
    ("transaction_prouvee", "UPDATE paiements_transactionpayzen SET montant = montant - 1"),
    ("transaction_prouvee", "UPDATE paiements_transactionpayzen SET montant_haut = montant_haut + 1"),
    ("transaction_prouvee", "DELETE FROM paiements_messagepayzen"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET operation = 'CREDIT'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET devise = 'USD'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET paiement_id = NULL"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET reference = 'P-AUTRE'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET boutique = '75100001'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET statut = 'REFUSED'"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET montant_haut = 121, montant = 121"),
    ("debit_du_paiement", "UPDATE paiements_transactionpayzen SET mode = 'PRODUCTION'"),
    ("restitution_prouvee", "UPDATE paiements_transactionpayzen SET statut = 'CAPTURED' WHERE statut = 'CANCELLED'"),
    (
        "restitution_prouvee",
        "UPDATE paiements_demanderestitution SET credit_id = repeat('d', 32) WHERE etat = 'FAITE'",
    ),
    (
        "restitution_prouvee",
        "UPDATE paiements_demanderestitution SET credit_id = (SELECT min(uuid) FROM paiements_transactionpayzen"
        " WHERE parent_id IS NOT NULL) WHERE etat = 'FAITE'",
    ),
    ("un_seul_mode", "UPDATE paiements_paiement SET mode = 'PRODUCTION'"),
    ("un_seul_mode", "UPDATE paiements_transactionpayzen SET mode = 'PRODUCTION'"),
    ("file_suit_les_livres", "UPDATE paiements_anomalie SET etat = 'SANS_OBJET' WHERE genre = 'IMPAYE'"),
    ("file_suit_les_livres", "UPDATE paiements_anomalie SET etat = 'SANS_OBJET' WHERE genre = 'RESTITUTION_REFUSEE'"),
    ("file_suit_les_livres", "DELETE FROM paiements_impaye"),
    ("file_suit_les_livres", "UPDATE paiements_imputation SET montant = 120 WHERE montant = 20"),
    (
        "file_suit_les_livres",
        "UPDATE paiements_transactionpayzen SET statut = 'CANCELLED' WHERE uuid = repeat('d', 32)",
    ),
    ("journal_de_la_file", "UPDATE paiements_anomalie SET etat = 'ECARTEE'"),
    ("journal_de_la_file", "DELETE FROM paiements_etapeanomalie"),
    ("journal_de_la_file", "UPDATE paiements_etapeanomalie SET de = 'CLOSE' WHERE de = ''"),
    (
        "journal_de_la_file",
        "UPDATE paiements_etapeanomalie SET vers = 'CLOSE' WHERE de = '';"
        " UPDATE paiements_anomalie SET etat = 'CLOSE' WHERE etat = 'OUVERTE'",
    ),
    ("soldes_enchaines", "UPDATE dettes_mouvement SET solde_apres = solde_apres + 1 WHERE genre = 'IMPUTATION'"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET total = total + 0.01"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET lignes = lignes + 1"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET sequence = 2"),
    ("encaissements_justes", "UPDATE dettes_fichieremis SET sequence = 3, plancher = 1"),
    ("imputation_et_mouvement", "UPDATE dettes_mouvement SET origine = 'ailleurs' WHERE genre = 'IMPUTATION'"),
    ("imputation_et_mouvement", "UPDATE paiements_imputation SET montant = montant - 0.01"),
    ("imputation_et_mouvement", "UPDATE dettes_mouvement SET genre = 'RETENUE' WHERE genre = 'IMPUTATION'"),
    ("imputation_et_mouvement", "UPDATE paiements_imputation SET dette_id = (SELECT max(id) FROM dettes_dette)"),
    ("imputation_et_mouvement", "UPDATE dettes_mouvement SET genre = 'REMISE' WHERE genre = 'REJET'"),
    ("imputation_et_mouvement", "UPDATE paiements_imputation SET debit_id = repeat('c', 32)"),
    (
        "imputation_et_mouvement",
        "UPDATE paiements_imputation SET debit_id = (SELECT min(debit_id) FROM paiements_imputation)",
    ),
    ("mouvement_sans_imputation", "DELETE FROM paiements_imputation WHERE montant > 0"),
    ("mouvement_sans_imputation", "DELETE FROM paiements_imputation WHERE montant < 0"),
    ("mouvement_a_rendre", "DELETE FROM dettes_ligneemise"),
    (
        "mouvement_a_rendre",
        "INSERT INTO dettes_mouvementarendre (mouvement_id, caf_id) SELECT mouvement_id, '661' FROM dettes_ligneemise",
    ),
    ("mouvement_a_rendre", "UPDATE dettes_fichieremis SET caf_id = '751'"),
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
    ("rien_d_oublie", "UPDATE paiements_paiement SET prochain_controle_le = NULL WHERE statut = 'EN_ATTENTE'"),
    ("rien_d_oublie", "UPDATE paiements_paiement SET prochain_controle_le = NULL WHERE statut = 'ACCEPTE'"),
    ("rien_d_oublie", "UPDATE paiements_paiement SET prochain_controle_le = NULL WHERE statut = 'IMPUTE'"),
    ("rien_en_retard", "UPDATE paiements_paiement SET prochain_controle_le = now() - interval '6 minutes'"),
    ("rien_d_oublie", "UPDATE paiements_paiement SET imputer_le = NULL WHERE statut = 'VERIFIE'"),
    ("rien_en_retard", "UPDATE paiements_paiement SET imputer_le = now() - interval '6 minutes'"),
    ("rien_en_retard", "UPDATE paiements_ticket SET prochain_essai_le = now() - interval '6 minutes'"),
    (
        "rien_en_retard",
        "UPDATE paiements_demanderestitution SET prochain_essai_le = now() - interval '6 minutes'"
        " WHERE etat = 'APPROUVEE'",
    ),
    ("rien_en_retard", "UPDATE paiements_demanderestitution SET prochain_essai_le = NULL WHERE etat = 'APPROUVEE'"),
    ("rien_en_retard", "UPDATE paiements_demanderestitution SET decidee_le = now() - interval '4 days'"),
    ("ticket_de_chaque_accord", "DELETE FROM paiements_ticket"),
    ("feuille_du_jour", "UPDATE dettes_mouvement SET montant = montant - 1 WHERE genre = 'IMPUTATION'"),
    ("gardes_en_place", "ALTER TABLE dettes_mouvement DISABLE TRIGGER USER"),
    ("gardes_en_place", "ALTER TABLE paiements_impaye DISABLE TRIGGER USER"),
    ("gardes_en_place", "DROP TRIGGER pgtrigger_message_ajout_seul_1b5a7 ON paiements_messagepayzen"),
]


def test_un_service_sain_n_a_aucune_violation(service):
    assert list(verifier()) == []


def test_chaque_invariant_a_sa_faute():
    assert {nom for nom, _ in FAUTES} == {invariant.nom for invariant in INVARIANTS}


@pytest.mark.parametrize(("nom", "sql"), FAUTES)
def test_une_faute_est_signalee(service, nom, sql):
    comptes_justes.preparer_les_invariants()
    with gardes_eteintes() as curseur:
        curseur.execute(sql)

    vues = {violation.invariant.nom for violation in verifier()}
    d_un_trait = {violation.partition(" : ")[0] for violation in comptes_justes.get_violations()}

    assert nom in vues
    assert d_un_trait == vues - {"rien_en_retard"}  # ce que lisent les histoires au hasard


@pytest.mark.parametrize(
    ("nom", "sql"),
    [
        ("courriel", "UPDATE paiements_ticket SET prochain_essai_le = now() - interval '6 hours'"),
        ("rendu des PDF", "UPDATE paiements_ticket SET prochain_essai_le = now() - interval '6 hours'"),
        (None, "UPDATE paiements_paiement SET prochain_controle_le = now() - interval '6 hours'"),
        (
            None,
            "UPDATE paiements_demanderestitution SET prochain_essai_le = now() - interval '6 hours'"
            " WHERE etat = 'APPROUVEE'",
        ),
    ],
    ids=["courriel", "PDF", "interrogations", "restitutions"],
)
def test_ce_qui_attend_une_liaison_muette_n_est_pas_une_violation(service, nom, sql):
    """Une nuit sans courriel : une alerte, une anomalie, et non un ticket en retard par paiement."""
    noms = (
        [nom] if nom else [f"PayZen {site}" for site in Paiement.objects.values_list("boutique", flat=True).distinct()]
    )
    for muette in noms:
        # Sa pause vient de finir, et rien n'a encore répondu.
        finie = {"echecs": 9, "coupee_jusqu_a": timezone.now() - timedelta(seconds=1)}
        Liaison.objects.update_or_create(nom=muette, defaults=finie)
    with gardes_eteintes() as curseur:
        curseur.execute(sql)

    assert list(verifier()) == []


def test_la_commande_rend_du_json_et_echoue_sur_une_violation(service):
    with gardes_eteintes() as curseur:
        curseur.execute("UPDATE demarches_lignedemarche SET montant = montant + 0.01")
    sortie = StringIO()

    with pytest.raises(CommandError) as fin:
        call_command("verifier_invariants", "--json", stdout=sortie)

    rendu = json.loads(sortie.getvalue())
    assert fin.value.returncode == Code.CONSTAT
    assert {v["invariant"] for v in rendu["violations"]} == {"total_des_lignes"}


def test_la_commande_dit_que_tout_va_bien(service):
    sortie = StringIO()

    call_command("verifier_invariants", stdout=sortie)

    assert f"{len(INVARIANTS)} invariants vérifiés, 0 violation(s)." in sortie.getvalue()
