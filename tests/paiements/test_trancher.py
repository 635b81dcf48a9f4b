"""La banque dit deux choses contraires d'une transaction : la machine ne tranche pas, un agent lit et tranche."""

import pytest

from dettes.models import Dette
from paiements.file.tenue import DejaResolue
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, TransactionPayzen
from paiements.retours import reprise
from paiements.statuts import Statut
from paiements.surveillance import invariants
from tests.factories import FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

Genre, Etat, Verdict = Anomalie.Genre, Anomalie.Etat, TransactionPayzen.Verdict


@pytest.fixture
def contredit():
    """Un paiement imputé dont la remise échoue, puis dont la banque dit qu'il est remis."""
    paiement = PaiementFactory(impute=True)
    for statut in ("CAPTURE_FAILED", "CAPTURED"):
        dire(paiement, statut)
    paiement.refresh_from_db()
    return paiement


def test_rien_ne_bouge_avant_qu_un_agent_tranche(contredit):
    anomalie = contredit.anomalies.ouvertes().get()
    repondre(contredit, FaitFactory(paiement=contredit, statut="CAPTURED", source="REST"))

    contredit.refresh_from_db()
    assert (anomalie.genre, anomalie.situation) == (Genre.STATUT_INATTENDU, "CONTRADICTOIRE")
    assert (contredit.statut, Dette.objects.get().solde) == (Statut.REJETE, 900)
    assert contredit.anomalies.ouvertes().get() == anomalie


def test_l_agent_dit_que_la_banque_tient_l_argent_il_revient_sur_les_dettes(contredit, agent):
    anomalie = contredit.anomalies.ouvertes().get()

    reprise.trancher(anomalie, Verdict.TENUE, motif="remis, vu au Back Office", agent=agent)
    repondre(contredit, FaitFactory(paiement=contredit, statut="CAPTURED", source="REST"))
    imputer_un_lot()

    contredit.refresh_from_db()
    anomalie.refresh_from_db()
    assert (contredit.statut, Dette.objects.get().solde) == (Statut.IMPUTE, 780)
    assert (anomalie.etat, anomalie.etapes.latest("pk").auteur) == (Etat.CLOSE, agent.identifiant)
    assert not list(invariants.verifier())


def test_l_agent_dit_qu_elle_ne_le_tient_pas_les_dettes_restent(contredit, agent):
    anomalie = contredit.anomalies.ouvertes().get()

    reprise.trancher(anomalie, Verdict.DEFAITE, motif="échec de remise, vu", agent=agent)

    contredit.refresh_from_db()
    anomalie.refresh_from_db()
    assert (contredit.statut, contredit.solde.tenu, Dette.objects.get().solde) == (Statut.REJETE, 0, 900)
    assert anomalie.etat == Etat.CLOSE
    assert not list(invariants.verifier())


@pytest.mark.parametrize("suite", [("CAPTURE_FAILED", "CAPTURED"), ("CAPTURED", "CAPTURE_FAILED")])
def test_l_ordre_des_deux_mots_ne_change_pas_la_fin(agent, suite):
    paiement = PaiementFactory()
    for statut in ("AUTHORISED", *suite):
        dire(paiement, statut)

    reprise.trancher(
        paiement.anomalies.ouvertes().get(genre=Genre.STATUT_INATTENDU), Verdict.TENUE, motif="vu", agent=agent
    )

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.solde.tenu) == (Statut.ACCEPTE, 120)


def test_un_credit_douteux_que_l_agent_dit_parti_pese_comme_un_autre(agent):
    paiement = PaiementFactory(impute=True)
    credit = {"operation": "CREDIT", "uuid": "c" * 32, "trans_id": "900001", "statut": "MOT_INCONNU"}
    dire(paiement, **credit)

    reprise.trancher(paiement.anomalies.get(), Verdict.TENUE, motif="parti, vu au Back Office", agent=agent)
    sans_debit = paiement.anomalies.ouvertes().get().genre
    debit = FaitFactory(paiement=paiement, source="REST")
    repondre(paiement, debit, FaitFactory(paiement=paiement, parent=debit.uuid, source="REST", **credit))

    paiement.refresh_from_db()
    assert (sans_debit, paiement.statut, Dette.objects.get().solde) == (Genre.ANNULATION_BANQUE, Statut.RESTITUE, 900)
    assert not paiement.anomalies.ouvertes().exists()


def test_un_verdict_tombe_si_la_banque_dit_autre_chose_depuis(agent):
    paiement = PaiementFactory()
    dire(paiement, "MOT_INCONNU")
    reprise.trancher(paiement.anomalies.get(), Verdict.DEFAITE, motif="rien de pris", agent=agent)
    tranche = paiement.anomalies.get().etat

    dire(paiement, "CAPTURED")

    debit = paiement.transactions.get()
    assert (tranche, debit.statut, debit.verdict) == (Etat.CLOSE, "CONTRADICTOIRE", "")
    assert paiement.anomalies.get().is_ouverte


def test_un_debit_certain_ne_se_tranche_pas(agent):
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32)
    anomalie = paiement.anomalies.get()

    with pytest.raises(DejaResolue, match="n'est pas douteuse"):
        reprise.trancher(anomalie, Verdict.DEFAITE, motif="vu", agent=agent)

    assert not TransactionPayzen.objects.exclude(verdict="").exists()


def test_ce_qui_n_est_pas_douteux_ne_se_tranche_pas(contredit, agent):
    anomalie = contredit.anomalies.ouvertes().get()
    reprise.trancher(anomalie, Verdict.DEFAITE, motif="vu", agent=agent)

    with pytest.raises(DejaResolue):
        reprise.trancher(anomalie, Verdict.TENUE, motif="finalement non", agent=agent)
