"""Les histoires de crédits d'un autre débit que celui du paiement : ils ne pèsent que sur lui."""

from decimal import Decimal

import pytest

from dettes.models import Dette
from paiements.models import Anomalie, DemandeRestitution
from paiements.retours import reprise
from paiements.statuts import Statut
from tests.pannes.gestes import approuver, ecarter, lire, tout_livrer, trancher

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


def test_un_credit_pendant_qu_un_double_est_retenu_attend_un_agent(guichet, accepte):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    guichet.banque.rembourser(double, double.montant)

    tout_livrer(guichet)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert {a.genre for a in paiement.anomalies.ouvertes()} == {Genre.DOUBLE_PAIEMENT, Genre.ANNULATION_BANQUE}
    guichet.finir()


def test_le_remboursement_d_un_double_libere_le_double_des_que_la_plateforme_le_nomme(guichet, impute, double):
    paiement, _ = impute
    guichet.banque.rembourser(double, double.montant)
    tout_livrer(guichet)

    lire(paiement)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.anomalies.ouvertes().exists()
    assert paiement.anomalies.get(genre=Genre.DOUBLE_PAIEMENT).etat == Etat.SANS_OBJET
    guichet.finir()


@pytest.mark.parametrize("en_le_disant", [True, False])
def test_un_double_rendu_au_back_office_et_mis_de_cote_ne_rend_pas_le_paiement(guichet, impute, double, en_le_disant):
    paiement, _ = impute
    tout_livrer(guichet)
    guichet.banque.rembourser(double, double.montant, en_le_disant=en_le_disant)
    ecarter(guichet, paiement.anomalies.get())

    tout_livrer(guichet)
    lire(paiement)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.retenu
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_un_credit_d_un_double_defait_laisse_le_double_a_un_agent(guichet, impute, double):
    paiement, _ = impute
    tout_livrer(guichet)
    credit = guichet.banque.rembourser(double, double.montant)
    tout_livrer(guichet)
    lire(paiement)

    guichet.banque.defaire(credit)
    tout_livrer(guichet)

    retenue = paiement.anomalies.ouvertes().get()
    assert (retenue.genre, retenue.transaction_id) == (Genre.DOUBLE_PAIEMENT, double.uuid)
    assert retenue.transaction.compte.tenu == paiement.montant
    guichet.finir()


def test_le_credit_d_un_autre_debit_ne_se_reprend_pas_aux_dettes(guichet, impute, represente):
    paiement, _ = impute
    guichet.banque.rembourser(represente, represente.montant)
    tout_livrer(guichet)
    lire(paiement)
    alerte = paiement.anomalies.ouvertes().get()
    a_reprendre = reprise.get_part(alerte)

    trancher(guichet, paiement, "TENUE")

    assert (alerte.transaction_id, a_reprendre) == (represente.uuid, 0)
    assert (paiement.statut, paiement.solde.impute) == (Statut.IMPUTE, paiement.montant)
    assert not paiement.anomalies.ouvertes().exists()


def test_le_credit_d_un_autre_debit_n_empeche_pas_de_placer_le_reste(guichet, reliquat):
    paiement, debit, reste = reliquat
    guichet.devoir(2, Decimal(900))
    guichet.banque.remettre(debit)
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    guichet.banque.rembourser(double, double.montant)
    tout_livrer(guichet)
    lire(paiement)

    reprise.placer_le_reste(
        reste, {Dette.objects.latest("pk"): paiement.montant}, accord="oui", agent=guichet.agents[0]
    )

    reste.refresh_from_db()
    assert (reste.etat, Dette.objects.latest("pk").solde) == (Etat.CLOSE, 900 - paiement.montant)
    guichet.finir()


def test_un_ordre_ne_part_pas_sur_un_debit_devenu_contradictoire(guichet, impute, double):
    paiement, _ = impute
    tout_livrer(guichet)
    demande = approuver(guichet, paiement, anomalie=paiement.anomalies.get())
    for statut in ("CAPTURE_FAILED", "CAPTURED"):
        guichet.banque.changer(double, statut)
        tout_livrer(guichet)

    guichet.restituer()

    demande.refresh_from_db()
    assert (demande.etat, double.rendu) == (DemandeRestitution.Etat.ECHOUEE, 0)
    assert paiement.anomalies.ouvertes().filter(genre=Genre.STATUT_INATTENDU).exists()
