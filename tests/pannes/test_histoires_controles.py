"""Les histoires de contrôles : lectures dépassées, désaccords, écarts, remises."""

from datetime import timedelta

import pytest

from paiements import anomalies, controle, impayes, services
from paiements.models import Anomalie, Paiement
from paiements.statuts import Statut
from tests.pannes.gestes import ecarts, rendre, reprendre, tout_livrer

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def test_une_banque_qui_hesite_trois_jours_est_encore_interrogee(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "WAITING_AUTHORISATION")
    for _ in range(5):
        guichet.attendre(timedelta(hours=25))
        guichet.controler()
        guichet.tenir()

    debit.statut = "AUTHORISED"
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert Paiement.objects.get().statut in (Statut.ACCEPTE, Statut.VERIFIE)


def test_un_desaccord_clos_se_rouvre_tant_qu_il_dure(guichet, accepte):
    guichet.banque.changer(accepte[1], "AUTHORISED", 100)
    tout_livrer(guichet)
    guichet.controler()
    desaccords = accepte[0].anomalies.filter(genre=Genre.DESACCORD)
    anomalies.resoudre(desaccords.get(), motif="vu", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    guichet.tenir()
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert desaccords.count() == 2
    assert desaccords.filter(resolue_le=None).count() == 1


def test_une_baisse_mise_de_cote_par_erreur_se_voit_et_se_reprend(guichet, impute):
    paiement, debit = impute
    guichet.banque.changer(debit, "CAPTURED", debit.montant // 2)
    tout_livrer(guichet)
    baisse = paiement.anomalies.get()
    anomalies.resoudre(baisse, motif="?", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    controle.conclure(paiement.pk, controle.interroger(paiement))
    vu = ecarts(paiement).get().constat
    reprendre(guichet, baisse)
    controle.conclure(paiement.pk, controle.interroger(paiement))

    assert (vu["attendu"], vu["vu"]) == ({"montant": "225.00"}, {"montant": "112.50"})
    assert not ecarts(paiement).exists()
    guichet.finir()


def test_un_debit_represente_apres_un_echec_de_remise_est_a_un_agent(guichet, accepte):
    paiement, debit = accepte
    guichet.controler()
    guichet.imputer()
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)
    guichet.controler()
    guichet.banque.changer(debit, "CAPTURED")
    tout_livrer(guichet)

    guichet.controler()

    assert ecarts(paiement).get().montant == paiement.montant
    guichet.finir()


def test_un_desaccord_reprend_la_confirmation(guichet):
    guichet.payer_d_un_trait(2, globale=False, part=4)
    paiement, debit = Paiement.objects.get(), guichet.banque.transactions[0]
    guichet.controler()
    debit.statut = "EXPIRED"
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    with pytest.raises(services.TransitionImpossible):
        controle.confirmer(paiement, motif="vu", agent=guichet.agents[0])

    assert paiement.anomalies.ouvertes().filter(genre=Genre.DESACCORD).exists()


def test_un_ecart_revenu_se_redit(guichet, impute):
    paiement, debit = impute
    for _ in range(2):
        part = guichet.banque.rembourser(debit, 4000)
        tout_livrer(guichet)
        alerte = paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE)
        anomalies.resoudre(alerte, motif="?", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)
        controle.conclure(paiement.pk, controle.interroger(paiement))
        controle.conclure(paiement.pk, controle.interroger(paiement))
        vus = ecarts(paiement).count()
        guichet.banque.defaire(part)
        tout_livrer(guichet)
        controle.conclure(paiement.pk, controle.interroger(paiement))

        assert vus == 1
        assert not ecarts(paiement).exists()


def test_une_remise_toujours_absente_se_redit(guichet, accepte):
    paiement, _ = accepte
    guichet.controler()
    guichet.imputer()
    guichet.attendre(timedelta(hours=73))
    guichet.controler()
    absente = paiement.anomalies.get(genre=Genre.REMISE_ABSENTE)
    anomalies.resoudre(absente, motif="attendue demain", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert paiement.anomalies.ouvertes().get().genre == Genre.REMISE_ABSENTE


def test_une_lecture_depassee_par_une_notification_ne_conclut_rien(guichet, impute):
    paiement, debit = impute
    debit.statut = "AUTHORISED"
    guichet.attendre(timedelta(hours=73))
    lecture = controle.interroger(paiement)
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)

    controle.conclure(paiement.pk, lecture)

    assert not ecarts(paiement).exists()
    paiement.refresh_from_db()
    assert paiement.statut == Statut.REJETE
    guichet.finir()


def test_un_premier_refus_puis_deux_paiements_se_disent(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    guichet.banque.debiter(guichet.banque.sessions[0], "REFUSED")
    tout_livrer(guichet)
    guichet.attendre(timedelta(minutes=2))
    guichet.recommencer(0)
    guichet.payer(2, onglet=0)
    guichet.banque.debiter(guichet.banque.sessions[1], "AUTHORISED")
    guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")

    tout_livrer(guichet)

    assert Anomalie.objects.get().genre == Genre.PAIEMENT_TARDIF
    guichet.finir()


def test_un_ecart_mis_de_cote_puis_regle_se_redit_s_il_revient(guichet, impute):
    paiement, debit = impute
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    impayes.annuler(paiement.anomalies.get(), motif="erreur", agent=guichet.agents[1])
    guichet.controler()
    ecart = ecarts(paiement).get()
    anomalies.resoudre(ecart, motif="rendu", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)
    credit = guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    guichet.controler()
    regle = paiement.retenu
    guichet.banque.defaire(credit, en_le_disant=False)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert regle == 0
    assert ecarts(paiement).get().montant == paiement.montant
    guichet.finir()


def test_un_paiement_dont_une_part_est_rendue_ne_se_verifie_pas_meme_si_un_double_la_cache(guichet, accepte):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    for transaction in (debit, double):
        guichet.banque.remettre(transaction)
    guichet.banque.rembourser(debit, 10000)
    tout_livrer(guichet)

    guichet.controler()
    guichet.imputer()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    guichet.finir()


def test_un_debit_juste_se_verifie_meme_si_un_double_a_ete_rendu_puis_perdu(guichet, accepte):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    guichet.banque.remettre(debit)
    guichet.banque.rembourser(double, 10000)
    tout_livrer(guichet)
    guichet.banque.changer(double, "CAPTURE_FAILED")
    tout_livrer(guichet)

    guichet.controler()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE


def test_une_part_mise_de_cote_n_est_pas_cachee_par_un_double(guichet, accepte):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    guichet.banque.remettre(debit)
    guichet.banque.rembourser(debit, 10000)
    tout_livrer(guichet)
    alerte = paiement.anomalies.get(genre=Genre.ANNULATION_BANQUE)
    anomalies.resoudre(alerte, motif="?", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    guichet.controler()
    guichet.imputer()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert paiement.anomalies.ouvertes().filter(genre=Genre.DESACCORD).exists()


def test_un_ecart_rendu_puis_defait_se_redit(guichet, accepte):
    paiement, debit = accepte
    guichet.controler()
    guichet.imputer()
    for statut in ("CAPTURE_FAILED", "CAPTURED"):
        guichet.banque.changer(debit, statut)
        tout_livrer(guichet)
        guichet.controler()
    rendre(guichet, paiement, anomalie=ecarts(paiement).get())
    guichet.controler()
    guichet.banque.defaire(guichet.banque.transactions[-1], en_le_disant=False)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()
    controle.conclure(paiement.pk, controle.interroger(paiement))

    assert paiement.retenu == paiement.montant
    guichet.finir()


def test_un_debit_represente_sous_un_etat_deja_connu_est_a_un_agent(guichet, impute):
    paiement, debit = impute
    guichet.attendre(timedelta(hours=80))
    for statut in ("CAPTURE_FAILED", "CAPTURED"):
        guichet.banque.changer(debit, statut)
        tout_livrer(guichet)
        guichet.controler()

    assert ecarts(paiement).get().montant == paiement.montant
    guichet.finir()
