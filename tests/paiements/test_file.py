"""La file des agents suit les comptes ; mettre de côté vaut pour l'état vu, et chaque voix reste au journal."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from paiements.file.tenue import DejaResolue, mettre_de_cote
from paiements.models import Anomalie, EtapeAnomalie
from paiements.statuts import Statut
from tests.factories import PaiementFactory, dire
from tests.paiements.livres import baisser, faire_un_reliquat, relire

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, Anomalie.Etat


@pytest.fixture
def double():
    """Un paiement imputé, et un deuxième débit que la banque tient."""
    paiement = PaiementFactory(impute=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001")
    return paiement, paiement.anomalies.get()


def test_un_deuxieme_debit_annule_ferme_son_anomalie_au_nom_de_la_banque(double):
    paiement, anomalie = double

    dire(paiement, "CANCELLED", uuid="d" * 32, trans_id="900001")

    anomalie.refresh_from_db()
    paiement.refresh_from_db()
    derniere = anomalie.etapes.latest("pk")
    assert (anomalie.etat, paiement.statut, paiement.retenu) == (Etat.SANS_OBJET, Statut.IMPUTE, 0)
    assert (derniere.auteur, derniere.motif) == ("PayZen", "transaction CANCELLED")


def test_mise_de_cote_elle_le_reste_tant_que_rien_ne_change(double, agent):
    paiement, anomalie = double
    mettre_de_cote(anomalie, motif="vu avec la banque", agent=agent)

    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001")
    dire(paiement, "CAPTURED")
    relire(paiement)

    anomalie.refresh_from_db()
    assert (anomalie.etat, paiement.retenu) == (Etat.ECARTEE, 120)


def test_elle_se_rouvre_si_sa_situation_change_et_garde_les_deux_voix(double, agent):
    paiement, anomalie = double
    mettre_de_cote(anomalie, motif="vu avec la banque", agent=agent)

    dire(paiement, "AUTHORISED", uuid="d" * 32, trans_id="900001", montant=Decimal(80))

    anomalie.refresh_from_db()
    assert (anomalie.etat, anomalie.situation) == (Etat.OUVERTE, "80.00")
    assert list(anomalie.etapes.values_list("de", "vers", "situation", "motif", "auteur")) == [
        ("", "OUVERTE", "120.00", "transaction AUTHORISED", "PayZen"),
        ("OUVERTE", "ECARTEE", "120.00", "vu avec la banque", agent.identifiant),
        ("ECARTEE", "OUVERTE", "80.00", "transaction AUTHORISED", "PayZen"),
    ]


def test_un_montant_baisse_encore_rouvre_ce_qu_un_agent_avait_mis_de_cote(agent):
    paiement = PaiementFactory()
    anomalie = baisser(paiement, 100)
    mettre_de_cote(anomalie, motif="à voir demain", agent=agent)

    baisser(paiement, 90)

    anomalie.refresh_from_db()
    assert (anomalie.etat, anomalie.situation) == (Etat.OUVERTE, "90.00")


def test_une_anomalie_reglee_ne_se_met_pas_de_cote_deux_fois(agent):
    _, anomalie = faire_un_reliquat()
    mettre_de_cote(anomalie, motif="vu", agent=agent)

    with pytest.raises(DejaResolue):
        mettre_de_cote(anomalie, motif="vu", agent=agent)


def test_la_base_refuse_un_changement_sans_son_journal(double):
    _, anomalie = double

    with pytest.raises(DatabaseError, match="sans le dire à son journal"), transaction.atomic():
        Anomalie.objects.filter(pk=anomalie.pk).update(etat=Etat.CLOSE)


def test_nul_ne_recrit_les_mots_d_un_autre(double):
    _, anomalie = double

    for toucher in (
        lambda: EtapeAnomalie.objects.filter(anomalie=anomalie).update(motif="autre"),
        lambda: EtapeAnomalie.objects.filter(anomalie=anomalie).delete(),
        lambda: Anomalie.objects.filter(pk=anomalie.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            toucher()
