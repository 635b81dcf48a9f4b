from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import requests
from django.urls import reverse
from django.utils import timezone

from demarches.etats import Etat
from dettes.models import Dette
from paiements import anomalies, controle, services
from paiements.boutiques import BoutiqueAbsente
from paiements.models import Anomalie, Paiement
from paiements.payzen import Mode
from paiements.statuts import Statut
from tests.factories import AgentFactory, FaitFactory, PaiementFactory, demander, dire, repondre

pytestmark = pytest.mark.django_db


def test_un_paiement_confirme_par_la_plateforme_est_verifie(plateforme):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED")

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE
    assert paiement.prochain_controle_le == paiement.cree_le + timedelta(hours=24)


def test_une_notification_jamais_venue_est_retrouvee_une_seule_fois(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED")

    controle.controler(paiement.pk)
    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE
    assert [e.geste for e in paiement.etapes.order_by("pk")] == ["soumettre", "accepter", "verifier"]


def test_un_paiement_dont_la_plateforme_ne_sait_rien_expire_et_libere_la_dette(plateforme, time_machine):
    paiement = PaiementFactory()
    plateforme(paiement)

    time_machine.move_to(services.get_libre_le(paiement), tick=False)
    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    dette = Dette.objects.with_disponible().get()
    assert (paiement.statut, paiement.demarche.etat) == (Statut.EXPIRE, Etat.NON_REALISEE)
    assert dette.disponible == dette.solde


def test_qui_est_encore_sur_la_page_de_la_banque_n_est_pas_interrompu(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement)

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert paiement.prochain_controle_le == services.get_libre_le(paiement)


def test_un_debit_regle_a_part_ne_fait_pas_dire_que_rien_n_est_encaisse(client, time_machine):
    paiement = PaiementFactory()
    debit = FaitFactory(paiement=paiement, montant=Decimal("1.00"), source="REST")
    repondre(paiement, debit)
    agent = AgentFactory().utilisateur
    anomalies.resoudre(paiement.anomalies.get(), motif="vu", agent=agent, issue=Anomalie.Issue.ECARTEE)

    time_machine.move_to(services.get_libre_le(paiement), tick=False)
    repondre(paiement, debit)
    client.force_login(paiement.demarche.auteur)
    page = client.get(reverse("paiements:retour", args=[paiement.reference])).content.decode()

    assert paiement.etapes.get(geste="expirer").motif == "un agent a réglé ce débit à part"
    assert "n’a pas été débitée" not in page
    assert "Ne payez pas de nouveau" in page


def test_un_paiement_expire_reste_suivi_jusqu_a_trois_jours(plateforme, time_machine):
    paiement = PaiementFactory()
    plateforme(paiement)
    rendez_vous = []

    for attente in (timedelta(minutes=25), timedelta(minutes=75), timedelta(hours=24), timedelta(hours=72)):
        time_machine.move_to(paiement.cree_le + attente, tick=False)
        controle.controler(paiement.pk)
        paiement.refresh_from_db()
        rendez_vous.append(paiement.prochain_controle_le and paiement.prochain_controle_le - paiement.cree_le)

    assert rendez_vous == [timedelta(minutes=75), timedelta(hours=24), timedelta(hours=72), None]


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

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert timezone.now() < paiement.prochain_controle_le < timezone.now() + timedelta(minutes=5)


@pytest.mark.parametrize("champs", [{"montant": Decimal("1.00")}, {"uuid": "e" * 32}])
def test_un_desaccord_est_une_anomalie_avec_les_deux_valeurs(plateforme, settings, champs):
    settings.VERIFICATION_RELANCES = []
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED", **champs)

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    anomalie = paiement.anomalies.get(genre=Anomalie.Genre.DESACCORD)
    assert paiement.statut == Statut.ACCEPTE
    assert set(anomalie.constat) >= {"attendu", "vu"}


def test_un_paiement_pas_encore_visible_est_redemande(plateforme):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement)

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE
    assert paiement.prochain_controle_le > timezone.now()
    assert not paiement.anomalies.exists()


def test_un_paiement_annule_entre_temps_n_est_pas_verifie(plateforme):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "CANCELLED")

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.REJETE


def test_au_dessus_du_seuil_un_agent_confirme(plateforme):
    demarche = demander(Decimal(500))
    caf = demarche.allocataire.caf
    caf.seuil_controle = Decimal(500)
    caf.save()
    paiement = PaiementFactory(demarche=demarche, accepte=True)
    plateforme(paiement, "AUTHORISED")

    controle.controler(paiement.pk)
    paiement.refresh_from_db()
    en_attente = paiement.statut
    controle.confirmer(paiement, motif="pièce vue", agent=AgentFactory().utilisateur)

    paiement.refresh_from_db()
    assert (en_attente, paiement.statut) == (Statut.ACCEPTE, Statut.VERIFIE)
    assert paiement.etapes.order_by("pk").last().auteur.startswith("agent-")


def test_un_agent_ne_confirme_pas_ce_que_la_plateforme_n_a_pas_confirme():
    paiement = PaiementFactory(accepte=True)

    with pytest.raises(services.TransitionImpossible):
        controle.confirmer(paiement, motif="pressé", agent=AgentFactory().utilisateur)


def test_un_montant_inattendu_n_expire_pas(plateforme):
    paiement = PaiementFactory()
    plateforme(paiement, "AUTHORISED", montant=Decimal("1.00"))

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert paiement.anomalies.get().genre == Anomalie.Genre.MONTANT_DIFFERENT


def test_un_controle_reserve_n_est_pas_pris_deux_fois(time_machine):
    paiement = PaiementFactory(accepte=True)

    premier, second = controle.reserver(10), controle.reserver(10)
    time_machine.move_to(timezone.now() + controle.BAIL + timedelta(seconds=1))
    apres_le_bail = controle.reserver(10)

    assert (premier, second, apres_le_bail) == ([paiement.pk], [], [paiement.pk])


def test_rien_n_est_controle_avant_son_heure():
    PaiementFactory()

    assert controle.reserver(10) == []
    assert Paiement.objects.get().prochain_controle_le > timezone.now()


def test_le_fait_rest_et_la_notification_ont_la_meme_cle():
    paiement = PaiementFactory()

    assert FaitFactory(paiement=paiement, source="REST").cle == FaitFactory(paiement=paiement, source="PAY").cle


def test_un_debit_jamais_remis_en_banque_va_a_un_agent_jusqu_a_ce_qu_il_le_soit(plateforme, time_machine):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED")
    vus = []
    for heures in (0, 24, 72):
        time_machine.move_to(paiement.cree_le + timedelta(hours=heures), tick=False)
        controle.controler(paiement.pk)
        vus.append(paiement.anomalies.ouvertes().count())
    paiement.refresh_from_db()
    encore = paiement.prochain_controle_le
    plateforme.serveur.reset()
    plateforme(paiement, "CAPTURED")

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert (vus, encore) == ([0, 0, 1], paiement.cree_le + timedelta(hours=96))
    assert paiement.remis_le is not None
    assert paiement.anomalies.get().issue == Anomalie.Issue.CADUQUE
    assert paiement.prochain_controle_le is None


def test_un_accord_appris_deja_remis_a_sa_date_de_remise(plateforme):
    paiement = PaiementFactory()

    dire(paiement, "CAPTURED", source="RETRY")

    paiement.refresh_from_db()
    assert paiement.remis_le is not None


def test_un_paiement_d_un_autre_mode_n_est_ni_interroge_ni_repris(settings):
    paiement = PaiementFactory()
    settings.PAYZEN_BOUTIQUES = {
        site: replace(boutique, mode=Mode.PRODUCTION, mot_de_passe="prodpassword_faux")
        for site, boutique in settings.PAYZEN_BOUTIQUES.items()
    }

    controle.controler(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE
    assert Anomalie.objects.get().genre == Anomalie.Genre.REPONSE_INATTENDUE
    with pytest.raises(BoutiqueAbsente, match="ce paiement est en TEST"):
        services.reprendre_le_depart(paiement)


@pytest.mark.parametrize(("code", "anomalies"), [("INT_905", 1), ("PSP_100", 1), ("PSP_015", 2), ("PSP_099", 0)])
def test_ce_qu_attendre_ne_reparera_pas_va_a_un_agent(plateforme, settings, code, anomalies):
    paiements = [PaiementFactory(), PaiementFactory()]
    plateforme.serveur.post(
        f"{settings.PAYZEN_URL_API}Order/Get",
        json={"status": "ERROR", "mode": "TEST", "answer": {"errorCode": code}},
    )

    for paiement in paiements * 2:
        controle.controler(paiement.pk)

    ouvertes = Anomalie.objects.filter(genre=Anomalie.Genre.REPONSE_INATTENDUE)
    assert ouvertes.count() == anomalies
    assert all(anomalie.caf == paiements[0].caf for anomalie in ouvertes)
