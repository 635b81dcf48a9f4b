"""Les rendez-vous avec la plateforme, jusqu'à la remise en banque ou trois jours après le clic."""

from datetime import timedelta

import pytest

from paiements.models import Anomalie
from paiements.verification import interroger
from tests.factories import PaiementFactory, dire

pytestmark = pytest.mark.django_db


def test_un_paiement_expire_reste_suivi_jusqu_a_trois_jours(plateforme, time_machine):
    paiement = PaiementFactory()
    plateforme(paiement)
    rendez_vous = []

    for attente in (timedelta(minutes=25), timedelta(minutes=75), timedelta(hours=24), timedelta(hours=72)):
        time_machine.move_to(paiement.cree_le + attente, tick=False)
        interroger.interroger(paiement.pk)
        paiement.refresh_from_db()
        rendez_vous.append(paiement.prochain_controle_le and paiement.prochain_controle_le - paiement.cree_le)

    assert rendez_vous == [timedelta(minutes=75), timedelta(hours=24), timedelta(hours=72), None]


def test_un_debit_jamais_remis_en_banque_va_a_un_agent_jusqu_a_ce_qu_il_le_soit(plateforme, time_machine):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED")
    vus = []
    for heures in (0, 24, 72):
        time_machine.move_to(paiement.cree_le + timedelta(hours=heures), tick=False)
        interroger.interroger(paiement.pk)
        vus.append(paiement.anomalies.ouvertes().count())
    paiement.refresh_from_db()
    encore = paiement.prochain_controle_le
    plateforme.serveur.reset()
    plateforme(paiement, "CAPTURED")

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert (vus, encore) == ([0, 0, 1], paiement.cree_le + timedelta(hours=96))
    assert paiement.debit.is_remise
    assert paiement.anomalies.get().etat == Anomalie.Etat.SANS_OBJET
    assert paiement.prochain_controle_le is None


def test_un_accord_appris_deja_remis_l_est(plateforme):
    paiement = PaiementFactory()

    dire(paiement, "CAPTURED", source="RETRY")

    paiement.refresh_from_db()
    assert paiement.debit.is_remise
