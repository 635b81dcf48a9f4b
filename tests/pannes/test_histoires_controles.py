"""Les histoires d'interrogations : lectures dépassées, désaccords, écarts, remises."""

from datetime import timedelta

import pytest

from paiements.models import Anomalie, Paiement
from paiements.passages import TransitionImpossible
from paiements.retours import reprise
from paiements.statuts import Statut
from paiements.verification import conclusions, interroger
from tests.pannes.gestes import ecarter, ecarts, lire, rendre, reprendre, tout_livrer, trancher, verifier_et_imputer

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


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


def test_ce_qui_est_mis_de_cote_le_reste_tant_que_les_comptes_ne_changent_pas(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.changer(debit, "AUTHORISED", 100)
    tout_livrer(guichet)
    guichet.controler()
    ecarter(guichet, paiement.anomalies.get())
    guichet.attendre(timedelta(hours=25))
    guichet.controler()
    le_lendemain = paiement.anomalies.get().etat

    guichet.banque.changer(debit, "AUTHORISED", 50)
    tout_livrer(guichet)

    assert (le_lendemain, paiement.anomalies.get().etat) == (Etat.ECARTEE, Etat.OUVERTE)
    guichet.finir()


def test_une_baisse_mise_de_cote_par_erreur_se_reprend(guichet, impute):
    paiement, debit = impute
    guichet.banque.changer(debit, "CAPTURED", debit.montant // 2)
    tout_livrer(guichet)
    baisse = paiement.anomalies.get()
    ecarter(guichet, baisse)
    lire(paiement)

    reprendre(guichet, baisse)

    lire(paiement)
    paiement.refresh_from_db()
    assert (paiement.statut, paiement.solde.impute) == (Statut.IMPUTE, paiement.montant / 2)
    assert not ecarts(paiement).exists()
    guichet.finir()


def test_un_debit_represente_apres_un_echec_de_remise_est_a_un_agent(guichet, accepte):
    paiement, debit = accepte
    verifier_et_imputer(guichet, paiement)
    guichet.attendre(timedelta(hours=80))
    for statut in ("CAPTURE_FAILED", "CAPTURED"):
        guichet.banque.changer(debit, statut)
        tout_livrer(guichet)
        guichet.controler()
    paiement.refresh_from_db()
    douteux = paiement.statut, paiement.solde.impute

    trancher(guichet, paiement, "TENUE")
    verifier_et_imputer(guichet, paiement)

    assert douteux == (Statut.REJETE, 0)
    assert (paiement.statut, paiement.solde.impute) == (Statut.IMPUTE, paiement.montant)
    guichet.finir()


def test_une_baisse_reprend_la_confirmation(guichet):
    guichet.payer_d_un_trait(2, globale=False, part=4)
    paiement, debit = Paiement.objects.get(), guichet.banque.transactions[0]
    guichet.controler()
    paiement.refresh_from_db()
    avant = paiement.confirme_le
    debit.montant //= 2
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    with pytest.raises(TransitionImpossible):
        conclusions.confirmer(paiement, motif="vu", agent=guichet.agents[0])

    paiement.refresh_from_db()
    assert avant is not None
    assert paiement.confirme_le is None
    assert paiement.anomalies.ouvertes().filter(genre=Genre.MONTANT_DIFFERENT).exists()


def test_une_part_rendue_deux_fois_se_dit_deux_fois(guichet, impute):
    paiement, debit = impute
    for _ in range(2):
        part = guichet.banque.rembourser(debit, 4000)
        tout_livrer(guichet)
        lire(paiement)
        alerte = paiement.anomalies.ouvertes().get()
        ecarter(guichet, alerte)
        lire(paiement)
        assert not paiement.anomalies.ouvertes().exists()

        guichet.banque.defaire(part)
        tout_livrer(guichet)
        lire(paiement)

        alerte.refresh_from_db()
        assert (alerte.genre, alerte.etat) == (Genre.ANNULATION_BANQUE, Etat.SANS_OBJET)


def test_une_remise_absente_mise_de_cote_le_reste_jusqu_a_ce_qu_elle_vienne(guichet, accepte):
    paiement, debit = accepte
    verifier_et_imputer(guichet, paiement)
    guichet.attendre(timedelta(hours=73))
    guichet.controler()
    absente = paiement.anomalies.get(genre=Genre.REMISE_ABSENTE)
    ecarter(guichet, absente)
    guichet.attendre(timedelta(hours=25))
    guichet.controler()
    ouvertes = paiement.anomalies.ouvertes().exists()

    guichet.banque.remettre(debit)
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    absente.refresh_from_db()
    assert (ouvertes, absente.etat) == (False, Etat.SANS_OBJET)
    guichet.finir()


def test_une_remise_absente_s_ouvre_a_l_interrogation_due(guichet, accepte):
    paiement, _ = accepte
    verifier_et_imputer(guichet, paiement)
    guichet.attendre(timedelta(hours=73))
    guichet.tenir()  # trois jours sans rien faire : l'interrogation est due, rien n'est oublié

    guichet.controler()

    assert paiement.anomalies.ouvertes().get().genre == Genre.REMISE_ABSENTE
    guichet.tenir()
    guichet.finir()


def test_une_lecture_depassee_par_une_notification_ne_conclut_rien(guichet, accepte):
    paiement, debit = accepte
    verifier_et_imputer(guichet, paiement)
    guichet.attendre(timedelta(hours=73))
    lecture = interroger.lire_la_plateforme(paiement)
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)

    assert interroger.conclure(paiement.pk, lecture) is None

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
    """Notre restitution défaite en silence, rendue au Back Office, puis défaite encore."""
    paiement, debit = impute
    rendre(guichet, paiement)
    guichet.controler()
    guichet.banque.defaire(guichet.banque.transactions[-1], en_le_disant=False)
    guichet.attendre(timedelta(hours=25))
    guichet.controler()
    ecarter(guichet, ecarts(paiement).get())
    credit = guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    guichet.controler()
    paiement.refresh_from_db()
    regle = paiement.retenu
    guichet.banque.defaire(credit, en_le_disant=False)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    paiement.refresh_from_db()
    assert (regle, paiement.retenu) == (0, paiement.montant)
    assert ecarts(paiement).exists()
    guichet.finir()


def test_une_part_mise_de_cote_n_est_pas_cachee_par_un_double(guichet, accepte):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    for transaction in (debit, double):
        guichet.banque.remettre(transaction)
    guichet.banque.rembourser(debit, 10000)
    tout_livrer(guichet)
    ecarter(guichet, paiement.anomalies.get(genre=Genre.ANNULATION_BANQUE))

    verifier_et_imputer(guichet, paiement)

    assert (paiement.statut, paiement.solde.impute) == (Statut.ACCEPTE, 0)
    part = paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE)
    assert (part.transaction_id, reprise.is_a_admettre(part)) == (debit.uuid, True)
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
    assert ecarts(paiement).get().situation == "-100.00"
