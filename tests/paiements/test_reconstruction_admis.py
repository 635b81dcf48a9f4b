"""Après une restauration, ce qui s'était imputé d'un montant admis, ou d'une part, revient ainsi (docs/adr/0055)."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from dettes.encaissements import emettre
from dettes.models import Dette, FichierEmis
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.payzen import to_centimes
from paiements.retours.reprise import admettre
from paiements.statuts import Statut
from paiements.surveillance.invariants import verifier
from tests.factories import DemarcheFactory, PaiementFactory, dire
from tests.paiements.journaux import jt
from tests.paiements.livres import baisser, faire_un_reliquat, get_soldes, relire, rembourser
from tests.paiements.restauration import decrire, restaurer

pytestmark = pytest.mark.django_db


def rendre(debit, montant, statut="CAPTURED"):
    """Ce que REST dit d'un remboursement de ce débit."""
    credit = {"uuid": "c" * 32, "operationType": "CREDIT", "amount": to_centimes(Decimal(montant))}
    parent = {"parentTransactionUuid": debit["uuid"]}
    suite = {"detailedStatus": statut, "transactionDetails": debit["transactionDetails"] | parent}
    return debit | credit | suite


def imputer_admis(alerte, agent):
    admettre(alerte, motif="vu", agent=agent)
    relire(alerte.paiement)
    imputer_un_lot()


@pytest.fixture
def revenir(ramener, tmp_path):
    """Interroge sur ce qui est publié, puis reprend les fichiers ; rend le paiement revenu."""

    def _revenir(paiement, *faits):
        ramener(jt([paiement]), list(faits), "--publies", str(tmp_path))
        call_command("reprendre_encaissements", "661", dossier=tmp_path, appliquer=True, stdout=StringIO())
        return Paiement.objects.get()

    return _revenir


def test_un_montant_admis_apres_un_remboursement_revient_admis(revenir, agent, tmp_path):
    paiement = PaiementFactory(accepte=True)
    imputer_admis(rembourser(paiement, 40), agent)
    debit, publie = decrire(paiement), emettre(paiement.caf, tmp_path)
    soldes = get_soldes()
    restaurer()

    revenu = revenir(paiement, debit, rendre(debit, 40))

    assert FichierEmis.objects.get().empreinte == publie.empreinte
    assert (revenu.statut, revenu.montant_admis, revenu.solde.tenu) == (Statut.IMPUTE, 80, 80)
    assert get_soldes() == soldes
    assert not Anomalie.objects.ouvertes().exists()
    assert emettre(revenu.caf, tmp_path) is None
    assert list(verifier()) == []


def test_un_montant_baisse_puis_admis_revient_admis(revenir, agent, tmp_path):
    paiement = PaiementFactory(accepte=True)
    imputer_admis(baisser(paiement, 80), agent)
    debit, soldes = decrire(paiement), get_soldes()
    emettre(paiement.caf, tmp_path)
    restaurer()

    revenu = revenir(paiement, debit | {"amount": 8000})

    assert (revenu.statut, revenu.montant_admis, get_soldes()) == (Statut.IMPUTE, 80, soldes)
    assert emettre(revenu.caf, tmp_path) is None
    assert list(verifier()) == []


def test_un_remboursement_admis_puis_defait_laisse_de_nouveau_un_reste(revenir, agent, tmp_path):
    paiement = PaiementFactory(accepte=True)
    imputer_admis(rembourser(paiement, 40), agent)
    debit, soldes = decrire(paiement), get_soldes()
    emettre(paiement.caf, tmp_path)
    restaurer()

    revenu = revenir(paiement, debit, rendre(debit, 40, "CANCELLED"))

    assert (get_soldes(), revenu.a_placer) == (soldes, 40)
    assert Anomalie.objects.ouvertes().get().genre == "RELIQUAT"
    assert list(verifier()) == []


def test_un_reste_qui_ne_tenait_pas_sur_la_dette_redevient_un_reste_et_rien_n_est_admis(revenir, tmp_path):
    """La livraison qui avait fait baisser la dette est perdue aussi : elle reviendra après."""
    paiement, _ = faire_un_reliquat()
    debit = decrire(paiement)
    emettre(paiement.caf, tmp_path)
    restaurer()

    revenu = revenir(paiement, debit)

    assert (revenu.statut, revenu.montant_admis) == (Statut.IMPUTE, None)
    assert (revenu.solde.impute, revenu.a_placer) == (20, 100)
    assert list(verifier()) == []


@pytest.mark.parametrize("connu", [True, False], ids=["remboursement connu", "remboursement pas encore connu"])
def test_un_paiement_en_vol_a_la_sauvegarde_s_impute_de_ce_qui_fut_admis(revenir, agent, tmp_path, connu):
    paiement = PaiementFactory(accepte=True)
    imputer_admis(rembourser(paiement, 40), agent)
    emettre(paiement.caf, tmp_path)
    soldes, auteur, reference = get_soldes(), paiement.demarche.auteur, paiement.reference
    restaurer()
    demarche = DemarcheFactory(auteur=auteur, reference=reference, lignes={Dette.objects.get(): Decimal(120)})
    en_vol = PaiementFactory(demarche=demarche, verifie=not connu, accepte=connu)
    if connu:
        dire(en_vol, "CAPTURED", operation="CREDIT", montant=Decimal(40), uuid="c" * 32, trans_id="900001")
        relire(en_vol)
    debit = decrire(en_vol)

    revenu = revenir(en_vol, debit, rendre(debit, 40))

    assert (revenu.statut, revenu.montant_admis, get_soldes()) == (Statut.IMPUTE, 80, soldes)
    assert not Anomalie.objects.ouvertes().exists()
    assert emettre(revenu.caf, tmp_path) is None
    assert list(verifier()) == []
