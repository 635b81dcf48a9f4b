"""Les histoires d'ordres et d'impayés : ce que la Caf rend, ce que la banque reprend."""

from datetime import timedelta
from decimal import Decimal

import pytest

from dettes.models import Dette, Mouvement
from paiements import anomalies, controle, impayes, imputation, reprise, restitution
from paiements.models import Anomalie, DemandeRestitution
from paiements.statuts import Statut
from tests.pannes.gestes import approuver, ecarts, pas_encore_publie, rendre, reprendre, tout_livrer

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


@pytest.mark.parametrize("etat", ["DEMANDEE", "APPROUVEE"])
def test_un_reste_en_cours_de_restitution_ne_se_place_ni_ne_s_ecarte(guichet, reliquat, etat):
    paiement, _, anomalie = reliquat
    guichet.devoir(2, Decimal(900))
    demande = restitution.demander(paiement, motif="erreur", agent=guichet.agents[0], anomalie=anomalie)
    if etat == "APPROUVEE":
        restitution.decider(demande, accord=True, agent=guichet.agents[1])

    with pytest.raises(anomalies.RestitutionEnCours):
        imputation.imputer_le_reste(
            anomalie, {Dette.objects.latest("pk"): anomalie.montant}, accord="oui", agent=guichet.agents[0]
        )
    with pytest.raises(anomalies.RestitutionEnCours):
        anomalies.resoudre(anomalie, motif="vu", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

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

    assert demande.etat == DemandeRestitution.Etat.FAITE
    assert double.statut == "CANCELLED"
    guichet.finir()


@pytest.mark.parametrize("d_abord", ["le nôtre", "celui du Back Office"])
def test_un_credit_venu_pendant_qu_un_ordre_est_en_route_n_est_pas_avale(guichet, accepte, d_abord):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    guichet.banque.remettre(debit)
    guichet.banque.remettre(double)
    approuver(guichet, paiement)
    guichet.restituer(panne="perdue")
    guichet.banque.rembourser(double, double.montant)
    if d_abord == "celui du Back Office":
        guichet.banque.transactions.reverse()

    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=2))
    guichet.restituer()

    assert paiement.anomalies.ouvertes().filter(genre=Genre.ANNULATION_BANQUE).count() == 1
    guichet.finir()


def test_un_double_rendu_n_empeche_pas_de_rendre_le_paiement(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    rendre(guichet, paiement, anomalie=paiement.anomalies.get())

    demande = rendre(guichet, paiement)

    assert demande.etat == DemandeRestitution.Etat.FAITE
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

    assert (demande.etat, demande.debit) == (DemandeRestitution.Etat.FAITE, double.uuid)
    guichet.finir()


def test_un_impaye_que_la_banque_ne_montre_pas_n_est_pas_un_ecart(guichet, impute):
    paiement, debit = impute
    impayes.constater(paiement, motif="JRI", agent=guichet.agents[1])
    debit.repris = True

    controle.conclure(paiement.pk, controle.interroger(paiement))

    assert not ecarts(paiement).exists()
    guichet.finir()


def test_un_remboursement_defait_apres_l_impaye_ne_retient_rien(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())
    guichet.banque.defaire(part)
    impayes.constater(paiement, motif="JRI", agent=guichet.agents[1])
    debit.repris = True

    tout_livrer(guichet)

    defait = paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE)
    assert (defait.montant, defait.constat["vu"]["statut"]) == (0, "CANCELLED")
    guichet.finir()


def test_le_credit_d_un_double_n_est_pas_la_reponse_a_notre_ordre(guichet, impute, double):
    paiement, debit = impute
    tout_livrer(guichet)
    demande = approuver(guichet, paiement)
    guichet.banque.rembourser(double, double.montant, en_le_disant=False)

    guichet.restituer()

    demande.refresh_from_db()
    assert demande.etat == DemandeRestitution.Etat.FAITE
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

    assert paiement.anomalies.ouvertes().get().montant == paiement.montant
    guichet.finir()


def test_un_impaye_enregistre_a_tort_s_annule_et_l_argent_se_rend(guichet, impute):
    paiement, _ = impute
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    impayes.annuler(paiement.anomalies.get(), motif="c'était un autre", agent=guichet.agents[1])
    guichet.controler()

    demande = rendre(guichet, paiement, anomalie=ecarts(paiement).get())

    assert demande.etat == DemandeRestitution.Etat.FAITE
    assert guichet.banque.get_net(paiement.reference) == 0
    guichet.finir()


def test_un_ordre_que_la_plateforme_n_execute_pas_s_arrete(guichet, impute):
    paiement, debit = impute
    demande = approuver(guichet, paiement)
    guichet.restituer(panne="500")

    restitution.abandonner(demande, motif="rendu par virement", agent=guichet.agents[1])
    guichet.attendre(timedelta(days=20))
    guichet.restituer()

    demande.refresh_from_db()
    refus = paiement.anomalies.get(genre=Genre.RESTITUTION_REFUSEE).constat["refus"]
    assert (demande.etat, debit.rendu) == (DemandeRestitution.Etat.ECHOUEE, 0)
    assert "rendu par virement" in refus


def test_un_ordre_deja_execute_ne_s_arrete_plus(guichet, impute):
    paiement, _ = impute
    demande = approuver(guichet, paiement)
    guichet.restituer(panne="perdue")

    with pytest.raises(restitution.RestitutionImpossible, match="déjà exécuté"):
        restitution.abandonner(demande, motif="trop long", agent=guichet.agents[1])

    demande.refresh_from_db()
    paiement.refresh_from_db()
    assert (demande.etat, paiement.statut) == (DemandeRestitution.Etat.FAITE, Statut.RESTITUE)
    guichet.finir()


def test_un_remboursement_deja_repris_n_est_pas_la_reponse_a_notre_ordre(guichet, impute):
    paiement, debit = impute
    guichet.banque.rembourser(debit, debit.montant // 2)
    tout_livrer(guichet)
    reprendre(guichet, paiement.anomalies.get())

    demande = rendre(guichet, paiement)

    assert demande.etat == DemandeRestitution.Etat.FAITE
    assert debit.rendu == debit.montant
    guichet.finir()


def test_une_part_rendue_d_un_paiement_dit_impaye_a_tort_se_deduit_de_l_ecart(guichet, impute):
    paiement, debit = impute
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    impayes.annuler(paiement.anomalies.get(genre=Genre.IMPAYE), motif="erreur", agent=guichet.agents[1])

    guichet.controler()

    assert ecarts(paiement).get().montant == paiement.montant - 40
    guichet.finir()


def test_une_lecture_depassee_par_notre_propre_ordre_ne_conclut_rien(guichet, impute):
    paiement, _ = impute
    approuver(guichet, paiement)
    lecture = controle.interroger(paiement)
    guichet.restituer()

    assert controle.conclure(paiement.pk, lecture) is None

    assert not ecarts(paiement).exists()
    guichet.finir()


def test_un_ecart_ne_se_rend_pas_sur_un_debit_porte_aux_dettes(guichet, impute, represente):
    paiement, debit = impute

    with pytest.raises(restitution.RestitutionImpossible):
        rendre(guichet, paiement, anomalie=ecarts(paiement).get())

    assert debit.rendu == 0


def test_un_impaye_annule_peut_arriver_pour_de_bon(guichet, impute):
    paiement, debit = impute
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    impayes.annuler(paiement.anomalies.get(), motif="erreur", agent=guichet.agents[1])
    guichet.controler()

    impayes.constater(paiement, motif="JRI", agent=guichet.agents[1])
    debit.repris = True

    assert (paiement.is_impaye, paiement.retenu) == (True, 0)
    assert Dette.objects.get(lignes__demarche=paiement.demarche).solde == 900
    guichet.finir()


def test_un_ordre_refuse_fait_relire_les_credits_venus_entre_temps(guichet, impute, double):
    paiement, _ = impute
    tout_livrer(guichet)
    retenue = paiement.anomalies.get()
    demande = approuver(guichet, paiement, anomalie=retenue)
    guichet.restituer(panne="500")
    guichet.banque.rembourser(double, 10000)
    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=1))
    guichet.restituer()

    guichet.attendre(timedelta(hours=1))
    guichet.controler()

    retenue.refresh_from_db()
    demande.refresh_from_db()
    assert (demande.etat, retenue.montant) == (DemandeRestitution.Etat.ECHOUEE, paiement.montant - 100)
    guichet.finir()


@pytest.fixture
def perdu(guichet, impute):
    """Un ordre exécuté dont la réponse s'est perdue, sur un paiement qu'aucun rendez-vous n'attend plus."""
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    demande = approuver(guichet, impute[0])
    guichet.restituer(panne="perdue")
    return demande


def test_un_ordre_arrete_puis_execute_en_retard_se_voit(guichet, impute, perdu):
    paiement, _ = impute
    with pas_encore_publie(guichet):
        restitution.abandonner(perdu, motif="rendu par virement", agent=guichet.agents[1])

    guichet.attendre(timedelta(hours=1))
    guichet.controler()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.RESTITUE
    guichet.finir()


def test_un_impaye_ne_cache_pas_l_argent_d_un_autre_debit(guichet, impute, represente):
    paiement, debit = impute

    impayes.constater(paiement, motif="JRI", agent=guichet.agents[1])
    debit.repris = True
    guichet.controler()

    ecart = ecarts(paiement).get()
    assert ecart.montant == paiement.montant
    assert not restitution.is_a_rendre(ecart)


def test_le_credit_d_un_double_se_suit_encore_apres_un_impaye(guichet, impute, double):
    paiement, debit = impute
    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    rendre(guichet, paiement, anomalie=paiement.anomalies.get())
    impayes.constater(paiement, motif="JRI", agent=guichet.agents[1])
    debit.repris = True
    guichet.controler()
    guichet.banque.defaire(guichet.banque.transactions[-1], en_le_disant=False)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert paiement.retenu == paiement.montant
    guichet.finir()


def test_une_lecture_faite_trop_tot_ne_dispense_pas_de_revoir_un_ordre_arrete(guichet, impute, perdu):
    paiement, _ = impute
    with pas_encore_publie(guichet):
        restitution.abandonner(perdu, motif="rendu par virement", agent=guichet.agents[1])
        controle.conclure(paiement.pk, controle.interroger(paiement))

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
    assert paiement.notifications.filter(cle__contains=":CREDIT:").exists()
    guichet.finir()


def test_l_alerte_de_notre_ordre_mise_de_cote_ne_se_reprend_pas(guichet, accepte):
    paiement, debit = accepte
    dette = Dette.objects.get(lignes__demarche=paiement.demarche)
    Mouvement.objects.create(dette=dette, genre="AJUSTEMENT", montant=125 - dette.solde, origine="livraison")
    guichet.banque.remettre(debit)
    guichet.controler()
    guichet.imputer()
    reste = paiement.anomalies.get(genre=Genre.RELIQUAT)
    approuver(guichet, paiement, anomalie=reste)
    guichet.restituer(panne="perdue")
    controle.conclure(paiement.pk, controle.interroger(paiement))
    alerte = paiement.anomalies.get(genre=Genre.ANNULATION_BANQUE)
    anomalies.resoudre(alerte, motif="?", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    guichet.attendre(timedelta(hours=1))
    guichet.restituer()

    alerte.refresh_from_db()
    paiement.refresh_from_db()
    assert (reprise.get_part(alerte), paiement.net) == (0, 125)
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
