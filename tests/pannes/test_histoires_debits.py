"""Les histoires de débits : doubles, baisses, refus, montants inattendus."""

from datetime import timedelta
from decimal import Decimal

import pytest

from demarches import services as parcours
from dettes.models import Dette
from paiements.file.tenue import DejaResolue
from paiements.models import Anomalie, DebitTenu, Paiement
from paiements.retours import impaye, reprise
from paiements.statuts import Statut
from tests.pannes.gestes import ecarter, rendre, tout_livrer, verifier_et_imputer

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


def test_un_double_debit_remis_en_banque_ne_se_retient_qu_une_fois(guichet, accepte):
    paiement, debit = accepte
    double = guichet.banque.dupliquer(debit)
    guichet.banque.remettre(double)
    guichet.banque.poster(double, "BO")

    tout_livrer(guichet)

    assert paiement.anomalies.get().genre == Genre.DOUBLE_PAIEMENT
    assert paiement.retenu == paiement.montant
    guichet.finir()


@pytest.mark.parametrize("ordre", [(0, 0), (1, 0)])
def test_un_double_debit_annule_par_la_banque_n_est_plus_retenu(guichet, accepte, ordre):
    guichet.banque.changer(guichet.banque.dupliquer(accepte[1]), "CANCELLED")

    for rang in ordre:
        guichet.livrer(rang)

    assert not accepte[0].anomalies.exclude(etat=Etat.SANS_OBJET).exists()
    assert accepte[0].retenu == 0
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

    paiement = Paiement.objects.get()
    assert paiement.anomalies.ouvertes().get().genre == Genre.DOUBLE_PAIEMENT
    assert paiement.retenu == paiement.montant
    guichet.finir()


@pytest.mark.parametrize("ordre", [(0, 0), (1, 0)])
def test_un_montant_baisse_avant_ou_apres_l_accord_attend_un_agent(guichet, ordre):
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
    guichet.banque.changer(debit, "AUTHORISED", debit.montant // 2)

    for rang in ordre:
        guichet.livrer(rang)

    paiement = Paiement.objects.get()
    assert (paiement.statut, paiement.solde.tenu) == (Statut.ACCEPTE, Decimal("112.50"))
    assert paiement.anomalies.ouvertes().get().genre == Genre.MONTANT_DIFFERENT
    guichet.finir()


def test_un_double_debit_baisse_a_la_banque_baisse_ce_qui_est_a_rendre(guichet, accepte):
    double = guichet.banque.dupliquer(accepte[1])
    guichet.banque.changer(double, "AUTHORISED", 1000)

    tout_livrer(guichet)

    assert accepte[0].anomalies.get().genre == Genre.DOUBLE_PAIEMENT
    assert accepte[0].retenu == 10
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
    assert anomalie.etat == Etat.SANS_OBJET
    guichet.finir()


def test_le_reste_d_un_paiement_annule_ne_se_place_plus_sur_une_dette(guichet, reliquat):
    paiement, debit, anomalie = reliquat
    guichet.devoir(2, Decimal(900))
    guichet.banque.changer(debit, "CANCELLED")
    tout_livrer(guichet)

    with pytest.raises(DejaResolue):
        reprise.placer_le_reste(
            anomalie, {Dette.objects.latest("pk"): paiement.montant}, accord="oui", agent=guichet.agents[0]
        )

    guichet.finir()


def test_un_montant_different_une_fois_mis_de_cote_libere_la_dette(guichet):
    guichet.ecrire(2, globale=False, part=4, courriel=False)
    guichet.payer(2, onglet=0)
    guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED", montant=100)
    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    attend = Paiement.objects.get().statut
    guichet.mettre_de_cote(0)

    guichet.tenir()
    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    assert (attend, Paiement.objects.get().statut) == (Statut.EN_ATTENTE, Statut.EXPIRE)
    guichet.finir()


def test_une_reference_inconnue_ne_retient_que_ce_que_la_banque_tient(guichet):
    debit = guichet.banque.encaisser_sans_nous("AUTRE-1", 4200)
    guichet.banque.remettre(debit)
    guichet.banque.poster(debit, "BO")
    guichet.banque.rembourser(debit, 4200)
    guichet.banque.changer(guichet.banque.encaisser_sans_nous("AUTRE-2", 4200), "CANCELLED")

    tout_livrer(guichet)

    # Le débit, et son crédit dont aucune notification ne dit d'où il vient.
    assert {a.transaction.operation for a in Anomalie.objects.ouvertes()} == {"DEBIT", "CREDIT"}
    assert {a.transaction.reference for a in Anomalie.objects.ouvertes()} == {"AUTRE-1"}
    assert sum(compte.tenu for compte in DebitTenu.objects.all()) == 42
    guichet.finir()


def test_un_debit_dont_la_banque_dit_deux_montants_est_a_un_agent(guichet):
    """L'un des deux est faux, et la machine ne dit pas lequel ; au plus bas, l'argent se rend."""
    guichet.ecrire(2, globale=False, part=1, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED")
    [juste] = guichet.banque.courrier
    guichet.poster(juste | {"vads_amount": str(debit.montant + 100)})
    guichet.livrer(0)
    paiement = Paiement.objects.get()

    verifier_et_imputer(guichet, paiement)

    bloque = paiement.statut, paiement.anomalies.get().genre
    rendre(guichet, paiement)
    paiement.refresh_from_db()
    assert bloque == (Statut.ACCEPTE, Genre.MONTANT_DIFFERENT)
    assert (paiement.solde.tenu, paiement.solde.impute) == (0, 0)
    guichet.finir()


def test_un_double_mis_de_cote_puis_annule_ne_cache_rien(guichet, impute):
    paiement, debit = impute
    double = guichet.banque.dupliquer(debit)
    tout_livrer(guichet)
    ecarter(guichet, paiement.anomalies.get())
    ecarte = paiement.retenu
    guichet.banque.changer(double, "CANCELLED")
    tout_livrer(guichet)
    impaye.enregistrer(paiement, motif="mauvaise ligne", agent=guichet.agents[1])
    impaye.annuler(paiement.anomalies.get(genre=Genre.IMPAYE), motif="erreur", agent=guichet.agents[1])

    verifier_et_imputer(guichet, paiement)

    assert (ecarte, paiement.retenu) == (paiement.montant, 0)
    assert (paiement.statut, paiement.solde.impute) == (Statut.IMPUTE, paiement.montant)
    guichet.finir()


def test_un_montant_different_mis_de_cote_puis_annule_laisse_recommencer(guichet):
    guichet.ecrire(2, globale=False, part=4, courriel=False)
    guichet.payer(2, onglet=0)
    debit = guichet.banque.debiter(guichet.banque.sessions[0], "AUTHORISED", montant=100)
    tout_livrer(guichet)
    paiement = Paiement.objects.get()
    ecarter(guichet, paiement.anomalies.get())

    guichet.banque.changer(debit, "CANCELLED")
    tout_livrer(guichet)

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.retenu) == (Statut.ABANDONNE, 0)
    assert parcours.recommencer(paiement.demarche)
