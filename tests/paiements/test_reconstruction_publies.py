"""Publié, un paiement s'impute avant que ne revienne sa suite : dette pas encore livrée, imputation qui échoue."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from dettes.encaissements import emettre
from dettes.models import FichierEmis, Mouvement
from paiements.models import Anomalie, Paiement
from tests.factories import DemarcheFactory, PaiementFactory
from tests.paiements.journaux import jt
from tests.paiements.maladies import refuser_d_ecrire
from tests.paiements.restauration import decrire, restaurer

pytestmark = pytest.mark.django_db
PAS_LIVREE = "PAS-ENCORE-LIVREE"


def renommer(de, vers):
    """La livraison qui apportait cette dette est perdue, puis revient."""
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL session_replication_role = replica")
        curseur.execute("UPDATE dettes_dette SET reference = %s WHERE reference = %s", [vers, de])
        curseur.execute("SET LOCAL session_replication_role = origin")


def crediter(debit, **champs):
    details = debit["transactionDetails"] | {"parentTransactionUuid": debit["uuid"]}
    return debit | {"uuid": "c" * 32, "operationType": "CREDIT", "transactionDetails": details} | champs


SUITES = {
    "rien": lambda debit: [debit],
    "annulé": lambda debit: [debit | {"detailedStatus": "CANCELLED"}],
    "remboursé": lambda debit: [debit, crediter(debit)],
    "rendu en partie": lambda debit: [debit, crediter(debit, amount=5000)],
}


@pytest.fixture
def publie(tmp_path):
    """Un paiement imputé et publié, que la base restaurée a oublié ; le dossier des fichiers publiés, son journal."""
    paiement = PaiementFactory(impute=True)
    paiement.dette = paiement.demarche.lignes.get().dette
    emettre(paiement.caf, tmp_path / "emis")
    paiement.journal, paiement.dit = jt([paiement]), decrire(paiement)
    restaurer()
    return paiement


def exiger_repris(publie, emis):
    """La ligne publiée retrouve son imputation : rien ne repartira vers la Caf."""
    call_command("reprendre_encaissements", publie.caf_id, dossier=emis, appliquer=True, stdout=StringIO())
    assert FichierEmis.objects.get().lignes == 1
    imputes = Mouvement.objects.filter(genre=Mouvement.Genre.IMPUTATION)
    assert [mouvement.montant for mouvement in imputes] == [-120]


@pytest.mark.parametrize("suite", SUITES)
def test_la_dette_livree_apres_l_imputation_publiee_revient_avant_sa_suite(ramener, publie, tmp_path, suite):
    transactions, options = SUITES[suite](publie.dit), ("--publies", str(tmp_path / "emis"))
    renommer(publie.dette.reference, PAS_LIVREE)

    with pytest.raises(CommandError, match=f"encore sans paiement : {publie.reference}"):
        ramener(publie.journal, transactions, *options)
    renommer(PAS_LIVREE, publie.dette.reference)
    ramener(publie.journal, transactions, *options)

    exiger_repris(publie, tmp_path / "emis")


def test_ce_qui_ne_reviendra_pas_devient_une_anomalie_sans_les_fichiers_publies(ramener, publie, tmp_path):
    transactions = SUITES["rien"](publie.dit)
    publie.demarche.allocataire.utilisateurs.all().delete()

    with pytest.raises(CommandError, match="sans --publies"):
        ramener(publie.journal, transactions, "--publies", str(tmp_path / "emis"))
    (dit,) = ramener(publie.journal, transactions)["lus"]

    assert dit["motif"] == "son dossier n'a plus de compte"
    assert Anomalie.objects.get().genre == Anomalie.Genre.REFERENCE_INCONNUE


def test_une_imputation_manquee_ne_laisse_pas_passer_sa_suite_et_se_nomme(ramener, publie, tmp_path):
    transactions, options = SUITES["annulé"](publie.dit), ("--publies", str(tmp_path / "emis"))

    with refuser_d_ecrire(), pytest.raises(CommandError, match=publie.reference):
        ramener(publie.journal, transactions, *options)
    assert not Paiement.objects.exists()
    ramener(publie.journal, transactions, *options)

    exiger_repris(publie, tmp_path / "emis")


def test_l_heure_que_la_sauvegarde_gardait_ne_retarde_pas_l_imputation(ramener, publie, tmp_path):
    demarche = DemarcheFactory(
        auteur=publie.demarche.auteur, reference=publie.reference, lignes={publie.dette: Decimal(120)}
    )
    en_vol = PaiementFactory(demarche=demarche, verifie=True)
    Paiement.objects.update(imputer_le=timezone.now() + timedelta(days=1))
    transaction = decrire(en_vol) | {"detailedStatus": "CANCELLED"}

    ramener(jt([]), [transaction], "--publies", str(tmp_path / "emis"))

    exiger_repris(publie, tmp_path / "emis")
