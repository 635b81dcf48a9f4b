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
from tests.paiements.fautes import FAUTES
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
