"""Payer, au même instant que tout ce qui touche la démarche ou son paiement."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from demarches import services as parcours
from demarches.models import Demarche, LigneDemarche
from paiements import depart
from paiements.models import Anomalie
from paiements.statuts import Statut
from paiements.surveillance import conservation
from paiements.verification import interroger
from tests.courses import compter, en_meme_temps, en_second, fenetre
from tests.factories import PaiementFactory, demander, dire, empreinte
from tests.pannes.gestes import verifier_les_invariants
from tests.pannes.livraison import ouvrir_les_fichiers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("premier", ["payer", "ecrire"])
def test_un_onglet_ecrit_pendant_que_l_autre_paie(premier):
    demarche = demander(Decimal(120))
    dette, vue = demarche.lignes.get().dette, empreinte(demarche)
    gestes = {
        "payer": lambda: depart.payer(demarche, empreinte_vue=vue),
        "ecrire": lambda: parcours.enregistrer_montants(demarche, {dette.pk: Decimal(500)}),
    }
    [second] = gestes.keys() - {premier}

    with fenetre("demarches_demarche"):
        passe, refuse = en_meme_temps(gestes[premier], lambda: en_second(gestes[second]))

    demarche.refresh_from_db()
    assert not isinstance(passe, Exception)
    assert isinstance(refuse, parcours.DemarcheFigee | depart.RecapitulatifPerime)
    montant = 120 if premier == "payer" else 500
    assert (demarche.montant, demarche.lignes.get().montant) == (montant, montant)
    verifier_les_invariants()


def test_payer_pendant_que_la_caf_baisse_le_solde():
    demarche = demander(Decimal(120))
    dette, vue = demarche.lignes.get().dette, empreinte(demarche)

    with fenetre("dettes_dette"), ouvrir_les_fichiers(demarche.allocataire.caf) as fichiers:
        livre, paye = en_meme_temps(
            lambda: fichiers.livrer(dette, Decimal(50), "EN_COURS"),
            lambda: en_second(lambda: depart.payer(demarche, empreinte_vue=vue)),
        )

    dette.refresh_from_db()
    assert (livre, dette.solde) == (50, 50)
    assert isinstance(paye, depart.RecapitulatifPerime)
    verifier_les_invariants()


def test_la_purge_laisse_ses_lignes_a_la_demarche_que_l_on_paie():
    demarche = demander(Decimal(120))
    Demarche.objects.update(cree_le=timezone.now() - timedelta(days=31))
    vue = empreinte(demarche)

    with fenetre("demarches_lignedemarche", "DELETE", quand="AFTER"):
        purge, _ = en_meme_temps(
            conservation.purger, lambda: en_second(lambda: depart.payer(demarche, empreinte_vue=vue))
        )

    # L'une des deux passe, tout entière.
    assert not isinstance(purge, Exception), purge
    assert Demarche.objects.count() == LigneDemarche.objects.count()
    verifier_les_invariants()


def test_interrogation_et_notification_au_meme_instant_n_acceptent_qu_une_fois(banque_de):
    paiement = PaiementFactory()
    banque, debit = banque_de(paiement, "AUTHORISED")

    with banque.servir(), fenetre("paiements_paiement"):
        issues = en_meme_temps(
            lambda: interroger.interroger(paiement.pk), lambda: dire(paiement, "AUTHORISED", uuid=debit.uuid)
        )

    paiement.refresh_from_db()
    assert not compter(issues, Exception)
    assert paiement.statut in (Statut.ACCEPTE, Statut.VERIFIE)
    assert paiement.etapes.filter(geste="accepter").count() == 1


def test_deux_etats_d_une_transaction_inconnue_ne_retiennent_que_ce_que_la_banque_tient():
    paiement = PaiementFactory()

    with fenetre("paiements_transactionpayzen", "INSERT"):
        issues = en_meme_temps(
            lambda: dire(paiement, "AUTHORISED", reference="AUTRE-1"),
            lambda: en_second(lambda: dire(paiement, "CANCELLED", reference="AUTRE-1")),
        )

    assert not compter(issues, Exception)
    assert not Anomalie.objects.ouvertes().exists()


def test_deux_debits_au_meme_instant_le_second_est_un_double():
    paiement = PaiementFactory()

    with fenetre("paiements_paiement"):
        en_meme_temps(
            lambda: dire(paiement, "AUTHORISED"),
            lambda: en_second(lambda: dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001")),
        )

    double = paiement.anomalies.ouvertes().get()
    assert (double.genre, double.transaction_id) == (Anomalie.Genre.DOUBLE_PAIEMENT, "d" * 32)
