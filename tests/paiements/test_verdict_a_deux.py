"""Dire que la banque ne tient pas une somme la sort des comptes : à deux au seuil de la Caf, et cela se revoit."""

from decimal import Decimal

import pytest

from dettes.models import Dette
from paiements.file.tenue import DejaResolue
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import TransactionPayzen
from paiements.retours import mise_de_cote, reprise
from paiements.statuts import Statut
from paiements.surveillance import invariants
from tests.factories import FaitFactory, PaiementFactory, dire, repondre
from tests.paiements.bureau import geste

pytestmark = pytest.mark.django_db

Verdict = TransactionPayzen.Verdict


@pytest.fixture
def paiement():
    """120 € imputés, dont la banque dit deux choses, dans une Caf dont le seuil est de 100 €."""
    paiement = PaiementFactory(impute=True)
    paiement.caf.seuil_mise_de_cote = Decimal(100)
    paiement.caf.save()
    for statut in ("CAPTURE_FAILED", "CAPTURED"):
        dire(paiement, statut)
    paiement.refresh_from_db()
    return paiement


@pytest.fixture
def anomalie(paiement):
    return paiement.anomalies.ouvertes().get()


def test_au_seuil_une_personne_ne_dit_pas_seule_que_la_banque_ne_tient_rien(anomalie, agent):
    with pytest.raises(reprise.RepriseImpossible, match="un comptable"):
        reprise.trancher(anomalie, Verdict.DEFAITE, motif="vu", agent=agent)

    anomalie.refresh_from_db()
    assert anomalie.is_ouverte


def test_en_dessous_une_personne_suffit(paiement, anomalie, agent):
    paiement.caf.seuil_mise_de_cote = Decimal("120.01")
    paiement.caf.save()
    anomalie.refresh_from_db()

    assert reprise.trancher(anomalie, Verdict.DEFAITE, motif="vu", agent=agent).verdict == Verdict.DEFAITE


def test_un_credit_qu_on_dit_parti_sort_aussi_de_l_argent(agent):
    paiement = PaiementFactory(impute=True)
    paiement.caf.seuil_mise_de_cote = Decimal(100)
    paiement.caf.save()
    dire(paiement, "MOT_INCONNU", operation="CREDIT", uuid="c" * 32, parent=paiement.debit_id, source="REST")

    with pytest.raises(reprise.RepriseImpossible, match="un comptable"):
        reprise.trancher(paiement.anomalies.get(), Verdict.TENUE, motif="vu", agent=agent)
    assert reprise.trancher(paiement.anomalies.get(), Verdict.DEFAITE, motif="vu", agent=agent)


def test_une_somme_d_une_autre_devise_ne_se_tranche_pas_seul(agent):
    paiement = PaiementFactory(impute=True)
    paiement.caf.seuil_mise_de_cote = Decimal(100)
    paiement.caf.save()
    credit = {"operation": "CREDIT", "uuid": "c" * 32, "parent": paiement.debit_id, "source": "REST"}
    dire(paiement, "MOT_INCONNU", montant=Decimal(10), devise="USD", **credit)

    with pytest.raises(reprise.RepriseImpossible, match="un comptable"):
        reprise.trancher(paiement.anomalies.get(), Verdict.TENUE, motif="vu", agent=agent)


def test_a_deux_c_est_tranche_aux_mots_des_deux(paiement, anomalie, agent, comptable):
    demande = mise_de_cote.demander(anomalie, motif="échec, vu", agent=agent, verdict=Verdict.DEFAITE)
    with pytest.raises(mise_de_cote.MiseDeCoteImpossible):
        mise_de_cote.decider(demande, accord=True, agent=agent, motif="moi")

    mise_de_cote.decider(demande, accord=True, agent=comptable, motif="relu")

    anomalie.refresh_from_db()
    assert (paiement.transactions.get().verdict, anomalie.etat) == (Verdict.DEFAITE, "CLOSE")
    assert anomalie.etapes.last().motif == f"échec, vu ; approuvé par {comptable} : relu"
    assert not list(invariants.verifier())


def test_refuse_rien_n_est_tranche(paiement, anomalie, agent, comptable):
    demande = mise_de_cote.demander(anomalie, motif="échec, vu", agent=agent, verdict=Verdict.DEFAITE)

    mise_de_cote.decider(demande, accord=False, agent=comptable, motif="il y est")

    assert paiement.transactions.get().is_douteuse


def test_un_verdict_errone_se_revoit_et_l_argent_revient(paiement, anomalie, agent, comptable):
    demande = mise_de_cote.demander(anomalie, motif="échec, vu", agent=agent, verdict=Verdict.DEFAITE)
    mise_de_cote.decider(demande, accord=True, agent=comptable, motif="relu")
    anomalie.refresh_from_db()

    reprise.revoir(anomalie, motif="le relevé le montre", agent=agent)
    anomalie.refresh_from_db()
    rouverte = anomalie.is_ouverte
    reprise.trancher(anomalie, Verdict.TENUE, motif="vu", agent=agent)
    repondre(paiement, FaitFactory(paiement=paiement, statut="CAPTURED", source="REST"))
    imputer_un_lot()

    paiement.refresh_from_db()
    assert (rouverte, paiement.statut, Dette.objects.get().solde) == (True, Statut.IMPUTE, 780)
    assert not list(invariants.verifier())


def test_ce_qui_n_est_pas_tranche_ne_se_revoit_pas(anomalie, agent):
    with pytest.raises(DejaResolue):
        reprise.revoir(anomalie, motif="vu", agent=agent)


def test_au_bureau_l_un_demande_l_autre_approuve(client, entrer, paiement, anomalie):
    entrer("GESTION")
    client.post(geste(anomalie, "defaite_a_deux"), {"motif": "échec, vu"})
    entrer("COMPTABLE")
    page = client.post(geste(anomalie.demandes.get(), "approuver"), {"motif": "relu"}, follow=True).content.decode()

    assert "la banque ne le tient pas" in page
    assert paiement.transactions.get().verdict == Verdict.DEFAITE
