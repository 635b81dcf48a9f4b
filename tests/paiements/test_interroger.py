"""Interroger la plateforme retrouve ce qu'aucune notification n'a dit, et ne décide rien sans réponse."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import requests
from django.urls import reverse
from django.utils import timezone

from demarches.etats import Etat
from dettes.models import Dette
from paiements.boutiques import BoutiqueAbsente
from paiements.depart import reprendre_le_depart
from paiements.file.tenue import mettre_de_cote
from paiements.models import Anomalie, Paiement
from paiements.passages import get_libre_le
from paiements.payzen import Mode
from paiements.statuts import Statut
from paiements.verification import interroger
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, repondre

pytestmark = pytest.mark.django_db


def test_une_notification_jamais_venue_est_retrouvee_une_seule_fois(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED")

    interroger.interroger(paiement.pk)
    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE
    assert [e.geste for e in paiement.etapes.order_by("pk")] == ["soumettre", "accepter", "verifier"]


def test_un_paiement_dont_la_plateforme_ne_sait_rien_expire_et_libere_la_dette(plateforme, time_machine):
    paiement = PaiementFactory()
    plateforme(paiement)

    time_machine.move_to(get_libre_le(paiement), tick=False)
    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    dette = Dette.objects.with_disponible().get()
    assert (paiement.statut, paiement.demarche.etat) == (Statut.EXPIRE, Etat.NON_REALISEE)
    assert dette.disponible == dette.solde


def test_qui_est_encore_sur_la_page_de_la_banque_n_est_pas_interrompu(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement)

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert paiement.prochain_controle_le == get_libre_le(paiement)


def test_un_debit_regle_a_part_ne_fait_pas_dire_que_rien_n_est_encaisse(client, time_machine):
    paiement = PaiementFactory()
    debit = FaitFactory(paiement=paiement, montant=Decimal("1.00"), source="REST")
    repondre(paiement, debit)
    mettre_de_cote(paiement.anomalies.get(), motif="vu", agent=AgentFactory().utilisateur)

    time_machine.move_to(get_libre_le(paiement), tick=False)
    repondre(paiement, debit)
    client.force_login(paiement.demarche.auteur)
    page = client.get(reverse("paiements:retour", args=[paiement.reference])).content.decode()

    assert paiement.etapes.get(geste="expirer").motif == "un agent a réglé ce débit à part"
    assert "n’a pas été débitée" not in page
    assert "Ne payez pas de nouveau" in page


def test_un_montant_inattendu_n_expire_pas(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED", montant=Decimal("1.00"))

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert paiement.anomalies.get().genre == Anomalie.Genre.MONTANT_DIFFERENT


@pytest.mark.parametrize(
    "panne",
    [
        {"status": 500},
        {"body": "<html>", "status": 200},
        {"body": requests.ConnectTimeout()},
        {"json": {"status": "ERROR", "answer": {"errorCode": "INT_905"}, "mode": "TEST"}},
    ],
)
def test_une_plateforme_muette_ne_decide_de_rien(plateforme, settings, panne):
    paiement = PaiementFactory()
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", **panne)

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert timezone.now() < paiement.prochain_controle_le < timezone.now() + timedelta(minutes=5)


def test_une_interrogation_reservee_n_est_pas_prise_deux_fois(time_machine):
    paiement = PaiementFactory(accepte=True)

    premier, second = interroger.reserver(10), interroger.reserver(10)
    time_machine.move_to(timezone.now() + interroger.BAIL + timedelta(seconds=1))
    apres_le_bail = interroger.reserver(10)

    assert (premier, second, apres_le_bail) == ([paiement.pk], [], [paiement.pk])


def test_rien_n_est_interroge_avant_son_heure():
    PaiementFactory()

    assert interroger.reserver(10) == []
    assert Paiement.objects.get().prochain_controle_le > timezone.now()


def test_un_paiement_d_un_autre_mode_n_est_ni_interroge_ni_repris(settings):
    paiement = PaiementFactory()
    settings.PAYZEN_BOUTIQUES = {
        site: replace(boutique, mode=Mode.PRODUCTION, mot_de_passe="prodpassword_faux")
        for site, boutique in settings.PAYZEN_BOUTIQUES.items()
    }

    interroger.interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert Anomalie.objects.get().genre == Anomalie.Genre.CLES_ABSENTES
    with pytest.raises(BoutiqueAbsente, match="ce paiement est en TEST"):
        reprendre_le_depart(paiement)


@pytest.mark.parametrize(("code", "anomalies"), [("INT_905", 1), ("PSP_100", 1), ("PSP_015", 2), ("PSP_099", 0)])
def test_ce_qu_attendre_ne_reparera_pas_va_a_un_agent(plateforme, settings, code, anomalies):
    paiements = [PaiementFactory(), PaiementFactory()]
    plateforme.serveur.post(
        f"{settings.PAYZEN_URL_API}Order/Get",
        json={"status": "ERROR", "mode": "TEST", "answer": {"errorCode": code}},
    )

    for paiement in paiements * 2:
        interroger.interroger(paiement.pk)

    ouvertes = Anomalie.objects.filter(genre=Anomalie.Genre.REPONSE_INATTENDUE)
    assert ouvertes.count() == anomalies
    assert all(anomalie.caf == paiements[0].caf for anomalie in ouvertes)
