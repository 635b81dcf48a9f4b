"""Les histoires d'impayés : ce que la banque reprend sans le montrer, à tort ou à raison."""

from datetime import timedelta

import pytest

from dettes.models import Dette
from paiements.models import Anomalie, Paiement
from paiements.retours import impaye, reprise
from paiements.statuts import Statut
from tests.pannes.gestes import ecarts, lire, rendre, reprendre, tout_livrer, verifier_et_imputer

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def enregistrer(guichet, paiement, *, motif="JRI", montant=None):
    impaye.enregistrer(paiement, montant=montant, motif=motif, agent=guichet.agents[1])


def annuler(guichet, paiement):
    impaye.annuler(paiement.anomalies.get(genre=Genre.IMPAYE), motif="mauvaise ligne", agent=guichet.agents[1])


def solde_de(paiement):
    return Dette.objects.get(lignes__demarche=paiement.demarche).solde


def test_un_impaye_que_la_banque_ne_montre_pas_n_est_pas_un_ecart(guichet, impute):
    paiement, debit = impute
    enregistrer(guichet, paiement)
    debit.repris = debit.montant

    lire(paiement)

    assert not ecarts(paiement).exists()
    guichet.finir()


def test_un_remboursement_defait_apres_l_impaye_ne_retient_rien(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    guichet.controler()
    reprendre(guichet, paiement.anomalies.ouvertes().get())
    guichet.banque.defaire(part)
    enregistrer(guichet, paiement, montant=paiement.montant)
    debit.repris = debit.montant

    tout_livrer(guichet)

    paiement.refresh_from_db()
    assert paiement.anomalies.ouvertes().get().genre == Genre.IMPAYE
    assert (paiement.statut, paiement.retenu) == (Statut.REJETE, 0)
    guichet.finir()


def test_un_remboursement_defait_apres_l_impaye_du_reste_rend_le_paiement(guichet, impute):
    """La banque a repris ce qui restait, puis gardé ce qu'elle remboursait : un agent admet ce montant."""
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    guichet.controler()
    reprendre(guichet, paiement.anomalies.ouvertes().get())
    enregistrer(guichet, paiement)
    debit.repris = debit.reste
    guichet.banque.defaire(part)
    tout_livrer(guichet)

    paiement.refresh_from_db()
    reprise.admettre(
        paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE), motif="vu", agent=guichet.agents[0]
    )
    verifier_et_imputer(guichet, paiement)

    assert (paiement.statut, paiement.solde.impute, solde_de(paiement)) == (Statut.IMPUTE, 40, 860)
    guichet.finir()


def test_l_impaye_d_une_part_laisse_le_reste_sur_les_dettes(guichet, impute):
    paiement, debit = impute
    enregistrer(guichet, paiement, montant=paiement.montant - 1)
    debit.repris = debit.montant - 100
    reprendre(guichet, paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE))

    lire(paiement)

    paiement.refresh_from_db()
    assert (paiement.statut, solde_de(paiement)) == (Statut.IMPUTE, 899)
    guichet.finir()


def test_un_impaye_enregistre_a_tort_s_annule_et_le_paiement_est_impute_de_nouveau(guichet, impute):
    paiement, _ = impute
    enregistrer(guichet, paiement)
    remontee = solde_de(paiement)
    annuler(guichet, paiement)

    verifier_et_imputer(guichet, paiement)

    assert (paiement.statut, paiement.retenu) == (Statut.IMPUTE, 0)
    assert (remontee, solde_de(paiement)) == (900, 900 - paiement.montant)
    guichet.finir()


def test_une_part_rendue_d_un_paiement_dit_impaye_a_tort_s_en_deduit(guichet, impute):
    paiement, debit = impute
    enregistrer(guichet, paiement)
    guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    annuler(guichet, paiement)
    verifier_et_imputer(guichet, paiement)
    bloque = paiement.statut, solde_de(paiement)

    reprise.admettre(
        paiement.anomalies.ouvertes().get(genre=Genre.ANNULATION_BANQUE), motif="vu", agent=guichet.agents[0]
    )
    verifier_et_imputer(guichet, paiement)

    assert bloque == (Statut.ACCEPTE, 900)
    assert (paiement.statut, solde_de(paiement)) == (Statut.IMPUTE, 900 - paiement.montant + 40)
    guichet.finir()


def test_un_impaye_annule_peut_arriver_pour_de_bon(guichet, impute):
    paiement, debit = impute
    enregistrer(guichet, paiement, motif="mauvaise ligne")
    annuler(guichet, paiement)
    verifier_et_imputer(guichet, paiement)

    enregistrer(guichet, paiement)
    debit.repris = debit.montant

    paiement = Paiement.objects.get()
    assert (paiement.statut, paiement.retenu, solde_de(paiement)) == (Statut.REJETE, 0, 900)
    assert paiement.anomalies.ouvertes().filter(genre=Genre.IMPAYE).exists()
    guichet.finir()


def test_un_impaye_ne_cache_pas_l_argent_d_un_autre_debit(guichet, impute, double):
    paiement, debit = impute
    tout_livrer(guichet)

    enregistrer(guichet, paiement)
    debit.repris = debit.montant
    guichet.controler()

    paiement.refresh_from_db()
    assert paiement.retenu == paiement.montant
    assert {a.genre for a in paiement.anomalies.ouvertes()} == {Genre.IMPAYE, Genre.DOUBLE_PAIEMENT}
    guichet.finir()


def test_le_credit_d_un_double_se_suit_encore_apres_un_impaye(guichet, impute, double):
    paiement, debit = impute
    tout_livrer(guichet)
    guichet.attendre(timedelta(hours=80))
    guichet.controler()
    rendre(guichet, paiement, anomalie=paiement.anomalies.get())
    enregistrer(guichet, paiement)
    debit.repris = debit.montant
    guichet.controler()
    guichet.banque.defaire(guichet.banque.transactions[-1], en_le_disant=False)

    guichet.attendre(timedelta(hours=25))
    guichet.controler()

    paiement.refresh_from_db()
    assert paiement.retenu == paiement.montant
    guichet.finir()
