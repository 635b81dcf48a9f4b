"""Les histoires de crédits : ce que la banque rend, de quel débit, et ce qu'elle défait."""

from datetime import timedelta
from decimal import Decimal

import pytest

from dettes.models import Dette
from paiements.file.tenue import DejaResolue
from paiements.imputation.imputer import ResteImpossible
from paiements.models import Anomalie, Paiement
from paiements.retours import reprise
from paiements.statuts import Statut
from tests.pannes.gestes import approuver, ecarter, ecarts, lire, reprendre, tout_livrer, trancher, verifier_et_imputer

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


def test_notre_credit_renvoye_par_la_banque_ferme_l_alerte_qu_il_avait_ouverte(guichet, accepte):
    paiement, debit = accepte
    guichet.banque.remettre(debit)
    approuver(guichet, paiement)
    guichet.restituer(panne="perdue")
    guichet.banque.poster(guichet.banque.transactions[-1], "BO")

    tout_livrer(guichet)
    alerte = paiement.anomalies.ouvertes().get().genre
    guichet.attendre(timedelta(hours=2))
    guichet.restituer()

    assert alerte == Genre.ANNULATION_BANQUE
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
        ecarter(guichet, paiement.anomalies.get())
        guichet.attendre(timedelta(minutes=26))
        verifier_et_imputer(guichet, paiement)
        return paiement

    return rendre


def test_une_part_rendue_avant_que_le_debit_soit_connu_n_impute_rien(guichet, rendu_avant_d_etre_connu):
    paiement = rendu_avant_d_etre_connu(1)
    alerte = paiement.anomalies.ouvertes().get()
    bloque = paiement.statut, alerte.genre, paiement.solde.impute

    reprise.admettre(alerte, motif="vu au Back Office", agent=guichet.agents[0])
    verifier_et_imputer(guichet, paiement)

    assert bloque == (Statut.ACCEPTE, Genre.ANNULATION_BANQUE, 0)
    assert (paiement.statut, paiement.solde.impute) == (Statut.IMPUTE, paiement.montant * 3 / 4)
    guichet.finir()


def test_un_debit_rendu_avant_d_etre_connu_est_restitue(guichet, rendu_avant_d_etre_connu):
    paiement = rendu_avant_d_etre_connu(4)

    assert paiement.statut == Statut.RESTITUE
    assert not paiement.imputations.exists()
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_un_montant_deja_rendu_ne_s_admet_pas(guichet):
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
    lire(paiement)

    with pytest.raises(DejaResolue):
        reprise.admettre(alerte, motif="oui", agent=guichet.agents[0])

    guichet.finir()


@pytest.fixture
def part_reprise(guichet, impute):
    """La banque a rendu 40 € du paiement imputé, et un agent les a repris des dettes ; le crédit."""
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    guichet.controler()
    reprendre(guichet, paiement.anomalies.ouvertes().get())
    paiement.refresh_from_db()
    assert (paiement.statut, paiement.a_placer) == (Statut.IMPUTE, 0)
    return part


def test_une_part_reprise_puis_defaite_puis_tout_rendu_se_reprend_en_entier(guichet, impute, part_reprise):
    paiement, debit = impute
    guichet.banque.defaire(part_reprise)
    tout_livrer(guichet)
    reste = paiement.anomalies.ouvertes().get()
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)

    guichet.controler()

    paiement.refresh_from_db()
    assert (reste.genre, reste.situation) == (Genre.RELIQUAT, "40.00")
    assert (paiement.statut, paiement.solde.impute) == (Statut.RESTITUE, 0)
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_deux_remboursements_du_meme_montant_se_disent_chacun(guichet, impute, part_reprise):
    paiement, debit = impute
    guichet.banque.rembourser(debit, part_reprise.montant)
    tout_livrer(guichet)

    guichet.controler()

    alerte = paiement.anomalies.ouvertes().get()
    reprendre(guichet, alerte)
    paiement.refresh_from_db()
    assert (alerte.genre, paiement.solde.impute) == (Genre.ANNULATION_BANQUE, paiement.montant - 80)
    guichet.finir()


def test_un_remboursement_defait_meurt_avec_son_debit(guichet, impute, part_reprise):
    paiement, debit = impute
    guichet.banque.defaire(part_reprise)
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)

    trancher(guichet, paiement, "DEFAITE")

    assert (paiement.statut, paiement.solde.impute, paiement.retenu) == (Statut.REJETE, 0, 0)
    assert not paiement.anomalies.ouvertes().exists()
    guichet.finir()


def test_un_debit_perdu_apres_un_remboursement_partiel_se_dit_tant_que_celui_ci_tient(guichet, impute, part_reprise):
    paiement, debit = impute
    guichet.banque.changer(debit, "CAPTURE_FAILED")
    tout_livrer(guichet)
    trancher(guichet, paiement, "DEFAITE")
    perdu = ecarts(paiement).get().situation

    guichet.banque.defaire(part_reprise)
    tout_livrer(guichet)

    assert perdu == "-40.00"
    assert not ecarts(paiement).exists()
    guichet.finir()


def test_un_reste_ne_se_place_pas_quand_la_banque_en_a_rendu_une_part(guichet, reliquat):
    paiement, debit, anomalie = reliquat
    guichet.devoir(2, Decimal(900))
    guichet.banque.remettre(debit)
    guichet.banque.rembourser(debit, 1000)
    tout_livrer(guichet)
    guichet.controler()

    with pytest.raises(ResteImpossible, match="215,00"):
        reprise.placer_le_reste(
            anomalie, {Dette.objects.latest("pk"): paiement.montant}, accord="oui", agent=guichet.agents[0]
        )

    guichet.finir()


def test_un_paiement_suit_un_remboursement_defait_puis_refait(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)
    guichet.controler()
    guichet.banque.defaire(part)
    tout_livrer(guichet)
    paiement.refresh_from_db()
    defait = paiement.statut
    guichet.banque.rembourser(debit, debit.montant)
    tout_livrer(guichet)

    verifier_et_imputer(guichet, paiement)

    assert (defait, paiement.statut) == (Statut.ACCEPTE, Statut.RESTITUE)
    assert (paiement.retenu, paiement.solde.impute) == (0, 0)
    # L'allocataire, à qui l'on avait dit que l'argent était rendu, a pu payer de nouveau.
    assert paiement.anomalies.ouvertes().get().genre == Genre.PAIEMENT_TARDIF
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


def test_une_alerte_mise_de_cote_se_ferme_quand_son_credit_est_defait(guichet, impute):
    paiement, debit = impute
    part = guichet.banque.rembourser(debit, 4000)
    tout_livrer(guichet)
    guichet.controler()
    alerte = paiement.anomalies.ouvertes().get()
    ecarter(guichet, alerte)

    guichet.banque.defaire(part)
    tout_livrer(guichet)

    alerte = Anomalie.objects.get(pk=alerte.pk)
    assert (alerte.etat, reprise.get_part(alerte)) == (Etat.SANS_OBJET, 0)
    guichet.finir()
