"""Les histoires d'ordres : ce que la Caf fait restituer, et ce que la plateforme en fait."""

from datetime import timedelta
from decimal import Decimal

import pytest

from dettes.models import Dette, Mouvement
from paiements.models import Anomalie, DemandeRestitution
from paiements.retours import ordres, reprise, restitution
from paiements.statuts import Statut
from paiements.verification import interroger
from tests.pannes.gestes import approuver, ecarts, lire, pas_encore_publie, rendre, reprendre, tout_livrer, trancher

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, DemandeRestitution.Etat


@pytest.mark.parametrize("etat", ["DEMANDEE", "APPROUVEE"])
def test_un_reste_en_cours_de_restitution_ne_se_place_pas(guichet, reliquat, etat):
    paiement, _, anomalie = reliquat
    guichet.devoir(2, Decimal(900))
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0], anomalie=anomalie)
    if etat == "APPROUVEE":
        restitution.decider(demande, accord=True, agent=guichet.agents[1])

    with pytest.raises(reprise.RepriseImpossible, match="en cours"):
        reprise.placer_le_reste(
            anomalie, {Dette.objects.latest("pk"): paiement.montant}, accord="oui", agent=guichet.agents[0]
        )

    assert not paiement.imputations.exists()


def test_un_credit_deja_porte_ne_tient_pas_lieu_de_restitution_d_un_double(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.remettre(debit)
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    guichet.controler()
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)

    demande = rendre(guichet, paiement, anomalie=paiement.anomalies.get(genre=Genre.DOUBLE_PAIEMENT))

    assert demande.etat == Etat.FAITE
    assert double.statut == "CANCELLED"
    guichet.finir()


@pytest.mark.parametrize("d_abord", ["le nôtre", "celui du Back Office"])
def test_un_credit_venu_pendant_qu_un_ordre_est_en_route_n_est_pas_avale(guichet, accepte, d_abord):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    guichet.banque.remettre(debit)
    guichet.banque.remettre(double)
    demande = approuver(guichet, paiement)
    guichet.restituer(panne="perdue")
    guichet.banque.rembourser(double, double.montant)
    if d_abord == "celui du Back Office":
        guichet.banque.transactions.reverse()

    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=2))
    guichet.restituer()

    demande.refresh_from_db()
    paiement.refresh_from_db()
    assert (demande.etat, demande.credit.parent_id) == (Etat.FAITE, debit.uuid)
    assert (paiement.statut, paiement.retenu, debit.rendu) == (Statut.RESTITUE, 0, debit.montant)
    guichet.finir()


def test_un_double_rendu_n_empeche_pas_de_rendre_le_paiement(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    rendre(guichet, paiement, anomalie=paiement.anomalies.get())

    demande = rendre(guichet, paiement)

    assert demande.etat == Etat.FAITE
    guichet.finir()


def test_un_double_mal_rembourse_se_rend_sur_son_propre_debit(guichet, impute):
    paiement, debit = impute
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    guichet.banque.remettre(double)
    rendre(guichet, paiement, anomalie=paiement.anomalies.get())
    guichet.banque.defaire(guichet.banque.transactions[-1])
    tout_livrer(guichet)

    demande = rendre(guichet, paiement, anomalie=paiement.anomalies.ouvertes().get())

    assert (demande.etat, demande.debit_id) == (Etat.FAITE, double.uuid)
    guichet.finir()


def test_le_credit_d_un_double_n_est_pas_la_reponse_a_notre_ordre(guichet, impute, double):
    paiement, debit = impute
    tout_livrer(guichet)
    demande = approuver(guichet, paiement)
    guichet.banque.rembourser(double, double.montant, en_le_disant=False)

    guichet.restituer()

    demande.refresh_from_db()
    assert demande.etat == Etat.FAITE
    assert debit.rendu == debit.montant
    guichet.finir()


def test_une_restitution_defaite_en_silence_se_voit(guichet, impute):
    paiement, _ = impute
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    rendre(guichet, paiement)
    guichet.controler()
    guichet.banque.defaire(guichet.banque.transactions[-1], en_le_disant=False)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    paiement.refresh_from_db()
    assert ecarts(paiement).get().transaction_id == paiement.debit_id
    assert (paiement.statut, paiement.retenu) == (Statut.RESTITUE, paiement.montant)
    guichet.finir()


def test_un_ordre_que_la_plateforme_n_execute_pas_s_arrete(guichet, impute):
    paiement, debit = impute
    demande = approuver(guichet, paiement)
    guichet.restituer(panne="500")

    ordres.abandonner(demande, motif="rendu par virement", agent=guichet.agents[1])
    guichet.attendre(timedelta(days=20))
    guichet.restituer()

    refus = paiement.anomalies.ouvertes().get(genre=Genre.RESTITUTION_REFUSEE).restitution
    assert (refus.pk, refus.etat, debit.rendu) == (demande.pk, Etat.ECHOUEE, 0)
    assert "rendu par virement" in refus.cause


def test_un_ordre_deja_execute_ne_s_arrete_plus(guichet, impute):
    paiement, _ = impute
    demande = approuver(guichet, paiement)
    guichet.restituer(panne="perdue")

    with pytest.raises(restitution.RestitutionImpossible, match="déjà exécuté"):
        ordres.abandonner(demande, motif="trop long", agent=guichet.agents[1])

    demande.refresh_from_db()
    paiement.refresh_from_db()
    assert (demande.etat, paiement.statut) == (Etat.FAITE, Statut.RESTITUE)
    guichet.finir()


def test_un_remboursement_deja_repris_n_est_pas_la_reponse_a_notre_ordre(guichet, impute):
    paiement, debit = impute
    guichet.banque.rembourser(debit, debit.montant // 2)
    tout_livrer(guichet)
    guichet.controler()
    reprendre(guichet, paiement.anomalies.ouvertes().get())
    guichet.attendre(timedelta(minutes=2))

    demande = rendre(guichet, paiement)

    assert demande.etat == Etat.FAITE
    assert debit.rendu == debit.montant
    guichet.finir()


def test_une_lecture_depassee_par_notre_propre_ordre_ne_conclut_rien(guichet, impute):
    paiement, _ = impute
    approuver(guichet, paiement)
    lecture = interroger.lire_la_plateforme(paiement)
    guichet.restituer()

    assert interroger.conclure(paiement.pk, lecture) is None

    assert not ecarts(paiement).exists()
    guichet.finir()


def test_un_debit_dont_la_banque_dit_deux_choses_ne_se_rend_qu_une_fois_tranche(guichet, impute, represente):
    paiement, debit = impute
    with pytest.raises(restitution.RestitutionImpossible):
        rendre(guichet, paiement, anomalie=paiement.anomalies.ouvertes().get())

    trancher(guichet, paiement, "TENUE")
    demande = rendre(guichet, paiement, anomalie=paiement.anomalies.ouvertes().get())

    assert (demande.etat, demande.debit_id, debit.rendu) == (Etat.FAITE, represente.uuid, 0)
    guichet.finir()


def test_un_ordre_refuse_fait_relire_les_credits_venus_entre_temps(guichet, impute, double):
    paiement, _ = impute
    tout_livrer(guichet)
    demande = approuver(guichet, paiement, anomalie=paiement.anomalies.get())
    guichet.restituer(panne="500")
    guichet.banque.rembourser(double, 10000)
    tout_livrer(guichet)

    guichet.attendre(timedelta(hours=1))
    guichet.restituer()

    demande.refresh_from_db()
    paiement.refresh_from_db()
    assert (demande.etat, paiement.retenu) == (Etat.ECHOUEE, paiement.montant - 100)
    guichet.finir()


@pytest.fixture
def perdu(guichet, impute):
    """Un ordre exécuté dont la réponse s'est perdue, sur un paiement qu'aucun rendez-vous n'attend plus."""
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    demande = approuver(guichet, impute[0])
    guichet.restituer(panne="perdue")
    return demande


@pytest.mark.parametrize("relu_trop_tot", [False, True])
def test_un_ordre_arrete_puis_execute_en_retard_se_voit(guichet, impute, perdu, relu_trop_tot):
    paiement, _ = impute
    with pas_encore_publie(guichet):
        ordres.abandonner(perdu, motif="rendu par virement", agent=guichet.agents[1])
        if relu_trop_tot:
            lire(paiement)

    guichet.attendre(timedelta(hours=1))
    guichet.controler()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.RESTITUE
    guichet.finir()


def test_un_ordre_fait_et_pas_encore_publie_n_est_pas_un_ecart(guichet, impute):
    paiement, _ = impute
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    rendre(guichet, paiement)
    with pas_encore_publie(guichet):
        guichet.controler()
    trop_tot = ecarts(paiement).exists()

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert not trop_tot
    assert not ecarts(paiement).exists()
    guichet.finir()


def test_notre_ordre_vu_avant_sa_reponse_ne_se_reprend_pas(guichet, accepte):
    paiement, debit = accepte
    dette = Dette.objects.get(lignes__demarche=paiement.demarche)
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=125 - dette.solde, origine="livraison")
    guichet.banque.remettre(debit)
    guichet.controler()
    guichet.imputer()
    demande = approuver(guichet, paiement, anomalie=paiement.anomalies.get(genre=Genre.RELIQUAT))
    guichet.restituer(panne="perdue")
    lire(paiement)
    vues = [reprise.get_part(anomalie) for anomalie in paiement.anomalies.all()]

    guichet.attendre(timedelta(hours=1))
    guichet.restituer()

    demande.refresh_from_db()
    paiement.refresh_from_db()
    assert (vues, demande.etat) == ([0], Etat.FAITE)
    assert (paiement.solde.tenu, paiement.solde.impute) == (125, 125)
    guichet.finir()


def test_ce_que_la_caf_a_rendu_ne_se_compte_ni_defait_ni_deux_fois(guichet, impute, double):
    paiement, _ = impute
    tout_livrer(guichet)
    rendre(guichet, paiement, anomalie=paiement.anomalies.get())
    guichet.banque.defaire(guichet.banque.transactions[-1])
    tout_livrer(guichet)
    defait = paiement.rendu_a_part

    rendre(guichet, paiement, anomalie=paiement.anomalies.ouvertes().get())

    assert (defait, paiement.rendu_a_part) == (0, paiement.montant)
