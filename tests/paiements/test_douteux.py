"""Ce que la banque tient peut-être, après un refus : on ne recommence pas avant qu'un agent ait tranché."""

import pytest

from demarches import services as parcours
from demarches.etats import Etat
from paiements.models import TransactionPayzen
from paiements.retours import cloture, reprise
from paiements.statuts import Statut
from paiements.suivi.progres import dire_ou_en_est
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

AUTRE_CARTE = {"uuid": "d" * 32}
Verdict = TransactionPayzen.Verdict


@pytest.mark.parametrize("fin", ["refuse", "expire"])
def test_un_debit_dont_la_banque_dit_deux_choses_empeche_de_recommencer(fin):
    paiement = PaiementFactory(**{fin: True})
    dire(paiement, "MOT_INCONNU", **AUTRE_CARTE)
    paiement.refresh_from_db()

    with pytest.raises(parcours.RecommencementImpossible):
        parcours.recommencer(paiement.demarche)

    progres = dire_ou_en_est(paiement)
    assert (paiement.retenu, paiement.demarche.etat) == (120, Etat.A_LA_BANQUE)
    assert (progres.titre, progres.is_a_recommencer) == ("Ne payez pas de nouveau", False)


def test_clos_sans_debit_par_deux_agents_il_empeche_encore_de_recommencer():
    paiement = PaiementFactory()
    demande = cloture.demander(paiement, motif="rien au Back Office", agent=AgentFactory().utilisateur)
    cloture.decider(demande, accord=True, agent=AgentFactory(role="COMPTABLE").utilisateur)

    dire(paiement, "MOT_INCONNU", **AUTRE_CARTE)

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.retenu) == (Statut.EXPIRE, 120)
    with pytest.raises(parcours.RecommencementImpossible):
        parcours.recommencer(paiement.demarche)


def test_rejete_par_la_banque_puis_contredit_il_se_dit_encore_tenu():
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURE_FAILED")
    dire(paiement, "CAPTURED")

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.retenu) == (Statut.REJETE, 120)
    assert any("tient peut-être encore 120,00" in phrase for phrase in dire_ou_en_est(paiement).suite)


def test_le_debit_d_un_paiement_impute_n_est_pas_un_autre_debit():
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    dire(paiement, "CAPTURE_FAILED")

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.retenu) == (Statut.IMPUTE, 0)


def test_quand_un_agent_a_tranche_que_rien_n_est_pris_on_recommence(agent):
    paiement = PaiementFactory(refuse=True)
    dire(paiement, "MOT_INCONNU", **AUTRE_CARTE)
    paiement.refresh_from_db()
    bloque = paiement.demarche.is_a_recommencer

    reprise.trancher(paiement.anomalies.ouvertes().get(), Verdict.DEFAITE, motif="rien de pris", agent=agent)

    paiement.refresh_from_db()
    assert (bloque, paiement.retenu, paiement.demarche.is_a_recommencer) == (False, 0, True)


def test_quand_un_agent_a_tranche_que_l_argent_est_pris_le_paiement_suit_son_cours(agent):
    paiement = PaiementFactory(refuse=True)
    dire(paiement, "MOT_INCONNU", **AUTRE_CARTE)
    paiement.refresh_from_db()

    reprise.trancher(paiement.anomalies.ouvertes().get(), Verdict.TENUE, motif="pris", agent=agent)

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.retenu) == (Statut.ACCEPTE, 0)


def test_deux_choses_dites_d_un_coup_ne_sont_pas_un_accord():
    paiement = PaiementFactory()

    repondre(paiement, *(FaitFactory(paiement=paiement, statut=statut) for statut in ("CAPTURED", "CAPTURE_FAILED")))

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.debit) == (Statut.EN_ATTENTE, None)
