"""Les crédits dont la banque parle : en attente, partis, défaits ; chacun compte une fois, ou plus du tout."""

from decimal import Decimal

import pytest

from dettes.models import Dette
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie
from paiements.retours import ordres, restitution
from paiements.statuts import Statut
from paiements.surveillance import invariants
from tests.factories import PaiementFactory, dire
from tests.paiements.livres import crediter, rembourser, reprendre

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


@pytest.fixture
def paiement():
    return PaiementFactory(impute=True)


@pytest.mark.parametrize("attente", ["UNDER_VERIFICATION", "INITIAL", "REFUND_TO_RETRY"])
def test_un_credit_d_abord_en_attente_compte_une_fois_parti(paiement, attente):
    crediter(paiement, 120, attente)
    avant = paiement.statut

    crediter(paiement, 120, "AUTHORISED", "CAPTURED")

    assert (avant, paiement.statut) == (Statut.IMPUTE, Statut.RESTITUE)
    assert [etape.geste for etape in paiement.etapes.order_by("pk")][-1] == "restituer"
    assert not paiement.anomalies.ouvertes().exists()
    assert not list(invariants.verifier())


@pytest.mark.parametrize("fin", ["CANCELLED", "CAPTURE_FAILED", "REFUSED", "EXPIRED"])
def test_un_credit_compte_puis_defait_remet_le_paiement_sur_les_dettes(paiement, fin):
    """La banque tient de nouveau le débit, et nous n'en avons rien restitué : il suit son cours."""
    crediter(paiement, 120, "AUTHORISED")
    restitue = paiement.statut, Dette.objects.get().solde

    crediter(paiement, 120, fin, fin)
    imputer_un_lot()

    paiement.refresh_from_db()
    assert restitue == (Statut.RESTITUE, 900)
    assert (paiement.statut, Dette.objects.get().solde) == (Statut.IMPUTE, 780)
    assert not list(invariants.verifier())


@pytest.mark.parametrize("ordre", [("CANCELLED", "AUTHORISED"), ("CANCELLED",), ("UNDER_VERIFICATION", "REFUSED")])
def test_un_credit_qui_n_est_jamais_parti_ne_change_rien(paiement, ordre):
    for statut in ordre:
        dire(paiement, statut, operation="CREDIT", uuid="c" * 32, trans_id="900001")

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.anomalies.exists()


def test_un_credit_partiel_defait_avant_d_etre_repris_ferme_son_alerte(paiement):
    alerte = rembourser(paiement, 20)
    ouverte = alerte.etat

    crediter(paiement, 20, "CANCELLED", uuid="d" * 32)
    dire(paiement, "AUTHORISED", operation="CREDIT", montant=Decimal(5), uuid="e" * 32, trans_id="900002")
    dire(paiement, "CANCELLED", operation="CREDIT", montant=Decimal(5), uuid="e" * 32, trans_id="900002")

    assert (ouverte, paiement.anomalies.ouvertes().get()) == (Etat.OUVERTE, alerte)


@pytest.mark.parametrize("fin", ["CANCELLED", "REFUSED"])
def test_un_credit_partiel_defait_ne_demande_plus_rien(paiement, fin):
    crediter(paiement, 20, "AUTHORISED")

    crediter(paiement, 20, fin)

    assert set(paiement.anomalies.values_list("etat", flat=True)) == {Etat.SANS_OBJET}
    assert (paiement.solde.tenu, paiement.a_placer) == (120, 0)


def test_un_credit_partiel_repris_puis_defait_laisse_un_reste_a_un_agent(paiement, agent):
    crediter(paiement, 20, "AUTHORISED")
    reprendre(paiement.anomalies.get(transaction=paiement.debit_id), agent)

    crediter(paiement, 20, "CANCELLED")

    ouverte = paiement.anomalies.ouvertes().get()
    assert (ouverte.genre, ouverte.situation, paiement.a_placer) == (Genre.RELIQUAT, "20.00", 20)
    assert Dette.objects.get().solde == 800
    assert not list(invariants.verifier())


def test_un_remboursement_defait_apres_notre_restitution_revient_a_la_file(paiement, agent, comptable, plateforme):
    demande = restitution.demander(paiement, motif="erreur", agent=agent)
    restitution.decider(demande, accord=True, agent=comptable)
    plateforme(paiement, "CAPTURED")
    plateforme.serveur.reset()
    plateforme(paiement, "AUTHORISED", operation="CREDIT", uuid="c" * 32)
    ordres.executer(demande)
    faite = PaiementFactory._meta.model.objects.get().statut

    dire(paiement, "CANCELLED", operation="CREDIT", uuid="c" * 32, trans_id="900001")

    paiement.refresh_from_db()
    anomalie = paiement.anomalies.ouvertes().get()
    assert (faite, paiement.statut, Dette.objects.get().solde) == (Statut.RESTITUE, Statut.RESTITUE, 900)
    assert (anomalie.genre, paiement.retenu, paiement.rendu_a_part) == (Genre.ECART, 120, 0)
    assert restitution.demander(paiement, motif="à rendre encore", agent=agent, anomalie=anomalie).montant == 120
    assert not list(invariants.verifier())
