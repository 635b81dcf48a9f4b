"""Dix ans après, la personne d'un dossier clos s'en va et les sommes restent ; un argent tenu la retient."""

from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from comptes.models import Allocataire
from dettes.models import Dette, Mouvement
from paiements.causes import par_service
from paiements.file import tenue
from paiements.models import Anomalie, MessagePayzen, Paiement
from paiements.surveillance.invariants import verifier
from tests.factories import (
    AgentFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
    dire,
)
from tests.paiements.purge import chercher, effacer

pytestmark = pytest.mark.django_db
DROITS = Path(__file__).parents[2] / "docs" / "droits.sql"


@pytest.fixture
def clos(time_machine):
    """Un dossier soldé il y a onze ans par un paiement ; l'horloge est ensuite rendue à aujourd'hui."""
    aujourd_hui = timezone.now()
    time_machine.move_to(aujourd_hui - timedelta(days=11 * 366))
    auteur = UtilisateurFactory(allocataire__nom="Vanterpool", allocataire__date_naissance="1954-03-02")
    dette = DetteFactory(allocataire=auteur.allocataire, montant_initial=Decimal(120), reference="IN-VANTERPOOL")
    demarche = DemarcheFactory(auteur=auteur, lignes={dette: Decimal(120)}, courriel="v@exemple.fr")
    paiement = PaiementFactory(demarche=demarche, impute=True)
    anomalie = tenue.signaler(Anomalie.Genre.ECART, "écart", cause=par_service("lu"), paiement=paiement)
    tenue.mettre_de_cote(anomalie, motif="Mme VANTERPOOL a appelé", agent=AgentFactory().utilisateur)
    time_machine.move_to(aujourd_hui)
    return auteur.allocataire


def purger_en_service():
    with connection.cursor() as curseur:
        curseur.execute(DROITS.read_text())
        curseur.execute("SET LOCAL ROLE rembourser_service")
        sortie = effacer("--appliquer")
        curseur.execute("RESET ROLE")
    return sortie


def test_d_un_dossier_clos_depuis_dix_ans_la_personne_s_en_va_et_les_sommes_restent(clos):
    compte = clos.utilisateurs.get()
    recent = PaiementFactory(impute=True).demarche.allocataire
    avant = list(verifier())  # ce qui était dû il y a onze ans est en retard, et le reste

    assert "1  dossiers clos depuis dix ans (il en reste 0)" in purger_en_service()

    traces = ("Vanterpool", "VANTERPOOL", "1954-03-02", clos.numero, compte.identifiant, "v@exemple.fr")
    assert {trace: tables for trace in traces if (tables := chercher(trace))} == {}
    assert clos.dettes.get().mouvements.count() == 2
    assert list(verifier()) == avant
    assert Allocataire.objects.get(pk=recent.pk).nom == recent.nom
    assert "0  dossiers clos depuis dix ans" in purger_en_service()


def test_de_sa_ligne_rien_ne_reste_et_la_caf_peut_la_redire(clos):
    """L'empreinte d'une ligne se refait de la ligne : elle dirait qui s'en est allé (docs/adr/0068)."""
    Allocataire.objects.update(empreinte=UUID(int=1))
    Dette.objects.update(empreinte=UUID(int=2), solde_recu=0)

    purger_en_service()

    assert Allocataire.objects.get(pk=clos.pk).empreinte is None
    assert clos.dettes.values_list("empreinte", "solde_recu").get() == (None, None)


def test_de_ses_messages_les_references_de_dettes_s_en_vont(clos):
    """La version d'avant les y gardait, et en écrivait encore pendant la mise à jour."""
    paiement = Paiement.objects.get()
    MessagePayzen.objects.create(
        paiement=paiement,
        source="REST",
        champs={"contexte": "A,IN-VANTERPOOL=12000", "statut": "CAPTURED"},
        sort="NEUF",
    )

    purger_en_service()

    assert chercher("IN-VANTERPOOL") == []
    assert paiement.messages.get(source="REST").champs == {"statut": "CAPTURED"}


def test_une_caf_en_plein_import_attend_demain(clos):
    with closing(connection.copy()) as ailleurs, ailleurs.cursor() as import_en_cours, connection.cursor() as purge:
        import_en_cours.execute("SELECT pg_advisory_lock(hashtextextended('livraison ' || %s, 0))", [clos.caf_id])
        purge.execute("SELECT effacer_les_personnes_des_dossiers_clos()")
        pendant = purge.fetchone()

    assert pendant == (0,)
    assert "1  dossiers clos depuis dix ans (il en reste 0)" in purger_en_service()


def dire_et_mettre_de_cote(*, en_production, **dit):
    """Un débit de plus, ou un remboursement, mis de côté ; le paiement est d'essai, ou vrai."""
    dire(Paiement.objects.get(), "CAPTURED", **({"uuid": "d" * 32, "trans_id": "900001"} | dit))
    assert Anomalie.objects.ouvertes().exists()
    mode = "PRODUCTION" if en_production else "TEST"
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        curseur.execute("UPDATE paiements_anomalie SET etat = 'ECARTEE' WHERE etat = 'OUVERTE'")
        curseur.execute("UPDATE paiements_paiement SET mode = %s", [mode])
        curseur.execute("SET LOCAL session_replication_role = origin")


CREDIT = {"operation": "CREDIT", "montant": Decimal(5)}


@pytest.mark.parametrize(
    ("en_production", "dit", "effaces"),
    [(False, {}, 1), (True, CREDIT | {"devise": "840"}, 1), (True, CREDIT, 0), (False, CREDIT, 1)],
    ids=["essai", "autre devise", "crédit en l'air", "crédit d'essai"],
)
def test_seul_un_argent_en_euros_et_pas_d_essai_garde_la_personne(clos, en_production, dit, effaces):
    dire_et_mettre_de_cote(en_production=en_production, **dit)

    assert f"{effaces}  dossiers clos depuis dix ans (il en reste 0)" in purger_en_service()


@pytest.mark.parametrize("ce_qui_retient", ["dette", "écriture", "démarche", "anomalie", "de côté"])
def test_un_dossier_qui_vit_encore_garde_la_personne(clos, time_machine, ce_qui_retient):
    dette = clos.dettes.get()
    if ce_qui_retient == "dette":
        time_machine.move_to(timezone.now() - timedelta(days=11 * 366))
        DetteFactory(allocataire=clos)
        time_machine.move_to(timezone.now() + timedelta(days=11 * 366))
    elif ce_qui_retient == "écriture":
        for montant in (5, -5):
            Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=Decimal(montant), origine="livraison")
    elif ce_qui_retient == "démarche":
        DemarcheFactory(auteur=clos.utilisateurs.get(), lignes={})
    elif ce_qui_retient == "de côté":
        dire_et_mettre_de_cote(en_production=True)
    else:
        Anomalie.objects.create(caf=clos.caf, dette=dette, genre=Anomalie.Genre.ECART, cle="autre")

    assert "0  dossiers clos depuis dix ans (il en reste 0)" in purger_en_service()

    assert Allocataire.objects.get(pk=clos.pk).nom == "Vanterpool"
