"""Les histoires de débits : doubles, baisses, refus, montants inattendus."""

from datetime import timedelta
from decimal import Decimal

import pytest

from demarches import services as parcours
from dettes.models import Dette
from paiements import anomalies, impayes, imputation
from paiements.models import Anomalie, Paiement
from paiements.statuts import Statut
from tests.pannes.gestes import ecarts, tout_livrer

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def test_un_double_debit_remis_en_banque_ne_se_retient_qu_une_fois(guichet, accepte):
    double = guichet.banque.dupliquer(accepte[1])
    guichet.banque.remettre(double)
    guichet.banque.poster(double, "BO")

    tout_livrer(guichet)

    assert accepte[0].anomalies.get().genre == Genre.DOUBLE_PAIEMENT
    guichet.finir()


def test_un_double_debit_annule_par_la_banque_n_est_plus_retenu(guichet, accepte):
    double = guichet.banque.dupliquer(accepte[1])
    guichet.banque.changer(double, "CANCELLED")

    tout_livrer(guichet)

    assert accepte[0].anomalies.get().issue == Anomalie.Issue.RESTITUEE
    guichet.finir()


def test_un_double_debit_annonce_annule_avant_d_etre_annonce_n_est_pas_retenu(guichet, accepte):
    guichet.banque.changer(guichet.banque.dupliquer(accepte[1]), "CANCELLED")

    guichet.livrer(1)
    guichet.livrer(0)

    assert not accepte[0].anomalies.exists()
    guichet.finir()


def test_un_double_debit_arrive_avant_l_original_ne_se_retient_qu_une_fois(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    double = guichet.banque.dupliquer(guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED"))

    guichet.livrer(1)
    guichet.livrer(0)
    guichet.banque.remettre(double)
    guichet.banque.poster(double, "BO")
    guichet.livrer(0)

    assert Paiement.objects.get().anomalies.count() == 1
    guichet.finir()


def test_un_accord_dont_le_montant_a_baisse_avant_d_arriver_ne_compte_qu_une_fois(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
    guichet.banque.changer(debit, "AUTHORISED", debit.montant // 2)

    guichet.livrer(1)
    guichet.livrer(0)

    assert Paiement.objects.get().statut == Statut.EN_ATTENTE
    assert Anomalie.objects.get().montant == Decimal("112.50")
    guichet.finir()


def test_un_double_debit_baisse_a_la_banque_baisse_sa_retenue(guichet, accepte):
    double = guichet.banque.dupliquer(accepte[1])
    guichet.banque.changer(double, "AUTHORISED", 1000)

    tout_livrer(guichet)

    assert accepte[0].anomalies.get().montant == Decimal(10)
    guichet.finir()


def test_un_montant_baisse_puis_remis_en_banque_est_une_seule_anomalie(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.changer(debit, "AUTHORISED", 100)
    guichet.banque.remettre(debit)
    guichet.banque.poster(debit, "BO")

    tout_livrer(guichet)

    assert paiement.anomalies.get().genre == Genre.MONTANT_DIFFERENT
    guichet.finir()


def test_un_reliquat_part_avec_le_paiement_que_la_banque_annule(guichet, reliquat):
    _, debit, anomalie = reliquat
    guichet.banque.changer(debit, "CANCELLED")

    tout_livrer(guichet)

    anomalie.refresh_from_db()
    assert anomalie.issue == Anomalie.Issue.RESTITUEE
    guichet.finir()


def test_le_reste_d_un_paiement_annule_ne_se_porte_plus_sur_une_dette(guichet, reliquat):
    _, debit, anomalie = reliquat
    guichet.devoir(2, Decimal(900))
    guichet.banque.changer(debit, "CANCELLED")
    tout_livrer(guichet)

    with pytest.raises(anomalies.DejaResolue):
        imputation.imputer_le_reste(
            anomalie, {Dette.objects.latest("pk"): anomalie.montant}, accord="oui", agent=guichet.agents[0]
        )

    guichet.finir()


def test_un_montant_different_une_fois_clos_libere_la_dette(guichet):
    guichet.ecrire(2, globale=False, part=4, courriel=False)
    guichet.payer(2, onglet=0)
    guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED", montant=100)
    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    guichet.clore(0)

    guichet.tenir()
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert Paiement.objects.get().statut == Statut.EXPIRE
    guichet.finir()


def test_une_reference_inconnue_ne_retient_que_ce_que_la_banque_tient(guichet):
    debit = guichet.banque.encaisser_sans_nous("AUTRE-1", 4200)
    guichet.banque.remettre(debit)
    guichet.banque.poster(debit, "BO")
    guichet.banque.rembourser(debit, 4200)
    guichet.banque.changer(guichet.banque.encaisser_sans_nous("AUTRE-2", 4200), "CANCELLED")

    tout_livrer(guichet)

    assert sum(a.montant for a in Anomalie.objects.ouvertes()) == 42
    guichet.finir()


def test_une_notification_au_montant_faux_n_empeche_pas_le_vrai(guichet):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
    [juste] = guichet.banque.courrier
    guichet.poster(juste | {"vads_amount": str(debit.montant + 100)})
    paiement = Paiement.objects.get()
    faux = paiement.anomalies.get().montant

    guichet.livrer(0)

    paiement.refresh_from_db()
    assert (faux, paiement.statut) == (226, Statut.ACCEPTE)
    assert paiement.anomalies.get().issue == Anomalie.Issue.CADUQUE
    guichet.finir()


def test_un_double_mis_de_cote_puis_annule_ne_cache_rien(guichet, impute):
    paiement, debit = impute
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    anomalies.resoudre(paiement.anomalies.get(), motif="annulé", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)
    guichet.banque.changer(double, "CANCELLED")
    tout_livrer(guichet)
    retenu = paiement.retenu
    impayes.constater(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    impayes.annuler(paiement.anomalies.get(genre=Genre.IMPAYE), motif="erreur", agent=guichet.agents[1])

    guichet.controler()

    assert retenu == 0
    assert ecarts(paiement).get().montant == paiement.montant
    guichet.finir()


def test_un_montant_different_mis_de_cote_puis_annule_laisse_recommencer(guichet):
    guichet.ecrire(2, globale=False, part=4, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED", montant=100)
    tout_livrer(guichet)
    paiement = Paiement.objects.get()
    anomalies.resoudre(paiement.anomalies.get(), motif="annulé", agent=guichet.agents[0], issue=Anomalie.Issue.ECARTEE)

    guichet.banque.changer(debit, "CANCELLED")
    tout_livrer(guichet)

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.retenu) == (Statut.ABANDONNE, 0)
    assert parcours.recommencer(paiement.demarche)


def test_une_annulation_sans_numero_ne_libere_rien(guichet, impute, double):
    paiement, _ = impute
    tout_livrer(guichet)
    guichet.banque.poster(double)
    message = guichet.banque.courrier.pop()
    del message["vads_trans_uuid"]

    guichet.poster(message | {"vads_trans_status": "CANCELLED"})

    assert paiement.retenu == paiement.montant
