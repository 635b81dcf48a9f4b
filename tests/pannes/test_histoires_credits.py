"""Les histoires de crédits : ce que la banque rend, de quel débit, et ce qu'elle défait."""

from datetime import timedelta
from decimal import Decimal

import pytest

from dettes.models import Dette
from paiements import anomalies, controle, imputation, reprise
from paiements.models import Anomalie, Paiement
from paiements.statuts import Statut
from tests.pannes.gestes import approuver, ecarts, reprendre, tout_livrer

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def test_un_credit_pendant_qu_un_double_est_retenu_attend_un_agent(guichet, accepte):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    guichet.banque.rembourser(double, double.montant)

    tout_livrer(guichet)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert {a.genre for a in paiement.anomalies.all()} == {Genre.DOUBLE_PAIEMENT, Genre.ANNULATION_BANQUE}
    guichet.finir()


def test_notre_credit_renvoye_par_la_banque_ferme_l_alerte_qu_il_avait_ouverte(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.remettre(debit)
    approuver(guichet, paiement)
    guichet.restituer(panne="perdue")
    guichet.banque.poster(guichet.banque.transactions[-1], "BO")

    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=2))
    guichet.restituer()

    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


@pytest.fixture
def rendu_avant_d_etre_connu(guichet):
    """Le crédit est annoncé, et mis de côté par un agent, alors que la notification du débit s'est perdue."""

    def rendre(part):
        guichet.ecrire(2, globale=False, part=1, courriel=False)
        guichet.payer(2, onglet=0)
        debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
        guichet.banque.courrier.clear()
        guichet.banque.remettre(debit)
        guichet.banque.rembourser(debit, debit.montant * part // 4)
        tout_livrer(guichet)
        paiement = Paiement.objects.get()
        anomalies.resoudre(paiement.anomalies.get(), motif="?", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)
        guichet.attendre(timedelta(minutes=26))
        guichet.controler()
        guichet.imputer()
        paiement.refresh_from_db()
        return paiement

    return rendre


def test_une_part_rendue_avant_que_le_debit_soit_connu_n_impute_rien(guichet, rendu_avant_d_etre_connu):
    paiement = rendu_avant_d_etre_connu(1)
    bloque = paiement.statut, paiement.anomalies.ouvertes().get().genre

    reprendre(guichet, paiement.anomalies.get(genre=Genre.ANNULATION_BANQUE))
    guichet.controler()
    guichet.imputer()

    paiement.refresh_from_db()
    assert bloque == (Statut.ACCEPTE, Genre.DESACCORD)
    assert paiement.statut == Statut.IMPUTE
    assert paiement.net == paiement.montant * 3 / 4
    guichet.finir()


def test_un_debit_rendu_avant_d_etre_connu_est_restitue(guichet, rendu_avant_d_etre_connu):
    paiement = rendu_avant_d_etre_connu(4)

    assert paiement.statut == Statut.RESTITUE
    assert not paiement.imputations.exists()
    guichet.finir()


def test_un_montant_deja_rendu_ne_s_accepte_pas(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
    guichet.banque.courrier.clear()
    guichet.banque.changer(debit, "AUTHORISED", debit.montant // 2)
    guichet.banque.remettre(debit)
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    paiement = Paiement.objects.get()
    alerte = paiement.anomalies.get(genre=Genre.MONTANT_DIFFERENT)

    with pytest.raises(reprise.RepriseImpossible, match="déjà rendu"):
        reprise.accepter_le_montant(alerte, controle.interroger(paiement).faits, motif="oui", agent=guichet.agents[0])

    guichet.finir()


def test_une_part_reprise_puis_defaite_puis_tout_rendu_se_reprend_en_entier(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.defaire(part)
    tout_livrer(guichet)
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)

    reprendre(guichet, paiement.anomalies.ouvertes().get(montant=0))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.RESTITUE
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_un_remboursement_defait_meurt_avec_son_debit(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.defaire(part)
    guichet.banque.changer(debit, "CAPTURE_FAILED")

    tout_livrer(guichet)

    assert not paiement.anomalies.ouvertes().filter(montant__gt=0).exists()
    guichet.finir()


def test_un_debit_perdu_apres_un_remboursement_partiel_se_dit(guichet, impute):
    paiement, debit = impute
    guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)

    guichet.attendre(timedelta(minutes=2))
    guichet.controler()

    assert ecarts(paiement).get().constat["vu"] == {"montant": "-40.00"}


def test_le_remboursement_d_un_double_libere_le_double_des_que_la_plateforme_le_nomme(guichet, impute):
    paiement, debit = impute
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    guichet.banque.rembourser(double, double.montant)
    tout_livrer(guichet)

    controle.conclure(paiement.pk, controle.interroger(paiement))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.anomalies.ouvertes().exists()
    assert paiement.anomalies.get(genre=Genre.DOUBLE_PAIEMENT).issue == Anomalie.Issue.RESTITUEE
    guichet.finir()


def test_un_reste_ne_se_place_pas_quand_la_banque_en_a_rendu_une_part(guichet, reliquat):
    _, debit, anomalie = reliquat
    guichet.devoir(2, Decimal(900))
    guichet.banque.remettre(debit)
    guichet.banque.rembourser(debit, 1000)
    tout_livrer(guichet)

    with pytest.raises(imputation.ResteImpossible, match="reprenez-la d'abord"):
        imputation.imputer_le_reste(
            anomalie, {Dette.objects.latest("pk"): anomalie.montant}, accord="oui", agent=guichet.agents[0]
        )

    guichet.finir()


@pytest.mark.parametrize("en_le_disant", [True, False])
def test_un_double_rendu_au_back_office_et_mis_de_cote_ne_rend_pas_le_paiement(guichet, impute, double, en_le_disant):
    paiement, _ = impute
    tout_livrer(guichet)
    guichet.banque.rembourser(double, double.montant, en_le_disant=en_le_disant)
    anomalie = paiement.anomalies.get()
    anomalies.resoudre(anomalie, motif="rendu au Back Office", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    tout_livrer(guichet)
    controle.conclure(paiement.pk, controle.interroger(paiement))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.retenu
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_le_credit_d_un_double_annonce_avant_lui_ne_rend_pas_le_paiement(guichet, impute, double):
    paiement, _ = impute
    guichet.banque.rembourser(double, double.montant)
    guichet.livrer(1)
    guichet.livrer(0)

    controle.conclure(paiement.pk, controle.interroger(paiement))

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_un_credit_d_un_double_defait_laisse_le_double_a_un_agent(guichet, impute, double):
    paiement, _ = impute
    tout_livrer(guichet)
    credit = guichet.banque.rembourser(double, double.montant)
    tout_livrer(guichet)
    controle.conclure(paiement.pk, controle.interroger(paiement))

    guichet.banque.defaire(credit)
    tout_livrer(guichet)

    retenue = paiement.anomalies.ouvertes().get()
    assert (retenue.montant, retenue.constat["vu"]["parent"]) == (paiement.montant, double.uuid)
    guichet.finir()


def test_un_remboursement_defait_puis_refait_ne_retient_plus_rien(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    guichet.controler()
    guichet.banque.defaire(part)
    tout_livrer(guichet)
    retenu = paiement.retenu
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)

    guichet.controler()

    assert (retenu, paiement.retenu) == (paiement.montant, 0)
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_un_credit_en_attente_connu_tard_se_revoit(guichet, impute):
    paiement, debit = impute
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    credit = guichet.banque.rembourser(debit, debit.montant, "UNDER_VERIFICATION")
    tout_livrer(guichet)
    guichet.controler()
    guichet.banque.remettre(credit)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.RESTITUE
    guichet.finir()


def test_le_credit_d_un_autre_debit_ne_se_reprend_pas_aux_dettes(guichet, impute, represente):
    paiement, _ = impute
    guichet.banque.rembourser(represente, represente.montant)
    tout_livrer(guichet)
    controle.conclure(paiement.pk, controle.interroger(paiement))

    alerte = paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE, constat__vu__operation="CREDIT")

    assert reprise.get_part(alerte) == 0
    assert not ecarts(paiement).exists()


def test_un_remboursement_defait_apres_l_echec_de_son_debit_ne_retient_rien(guichet, accepte):
    paiement, debit = accepte
    guichet.controler()
    guichet.imputer()
    debit.statut = "CAPTURED"
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)

    guichet.banque.defaire(part)
    tout_livrer(guichet)

    assert paiement.retenu == 0
    guichet.finir()


def test_une_alerte_mise_de_cote_se_ferme_quand_son_credit_est_defait(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    alerte = paiement.anomalies.get()
    anomalies.resoudre(alerte, motif="?", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    guichet.banque.defaire(part)
    tout_livrer(guichet)

    alerte.refresh_from_db()
    assert reprise.get_part(alerte) == 0
    guichet.finir()


def test_le_credit_d_un_autre_debit_n_empeche_pas_de_placer_le_reste(guichet, reliquat):
    paiement, debit, reste = reliquat
    guichet.devoir(2, Decimal(900))
    guichet.banque.remettre(debit)
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    tout_livrer(guichet)
    for statut in ("CAPTURE_FAILED", "CAPTURED"):
        guichet.banque.changer(double, statut)
        tout_livrer(guichet)
    guichet.banque.rembourser(double, double.montant)
    tout_livrer(guichet)
    controle.conclure(paiement.pk, controle.interroger(paiement))

    parts = {Dette.objects.latest("pk"): reste.montant}
    imputation.imputer_le_reste(reste, parts, accord="oui", agent=guichet.agents[0])

    reste.refresh_from_db()
    assert reste.issue == Anomalie.Issue.IMPUTEE
