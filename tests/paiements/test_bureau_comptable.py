"""Le bureau du comptable : arrêter un ordre, enregistrer et annuler un impayé, et ce qui n'est à aucune Caf."""

import pytest
from django.urls import reverse

from comptes.models import Caf
from paiements import impayes, restitution
from paiements.models import Anomalie, DemandeRestitution
from tests.factories import AgentFactory, CafFactory, FaitFactory, PaiementFactory, repondre
from tests.paiements.bureau import fiche, geste

pytestmark = pytest.mark.django_db

Genre, Etat = Anomalie.Genre, DemandeRestitution.Etat


@pytest.fixture
def ordre():
    """Une restitution approuvée, que la plateforme n'a pas encore exécutée."""
    demande = restitution.demander(PaiementFactory(impute=True), motif="erreur", agent=AgentFactory().utilisateur)
    return restitution.decider(demande, accord=True, agent=AgentFactory(role="COMPTABLE").utilisateur)


def test_un_comptable_arrete_un_ordre_que_la_plateforme_n_a_pas_execute(client, entrer, plateforme, ordre):
    plateforme(ordre.paiement, "CAPTURED")
    entrer("COMPTABLE")

    page = client.post(geste(ordre, "abandonner"), {"motif": "rendu par virement"}, follow=True).content.decode()

    ordre.refresh_from_db()
    assert "L&#x27;ordre est arrêté" in page
    assert (ordre.etat, ordre.prochain_essai_le) == (Etat.ECHOUEE, None)
    assert "rendu par virement" in ordre.paiement.anomalies.get().constat["refus"]


def test_un_ordre_ne_s_arrete_pas_sans_reponse_de_la_plateforme(client, entrer, plateforme, ordre, settings):
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=500)
    entrer("COMPTABLE")

    page = client.post(geste(ordre, "abandonner"), {"motif": "rendu par virement"}, follow=True).content.decode()

    ordre.refresh_from_db()
    assert "Ce geste n&#x27;est pas possible" in page
    assert ordre.etat == Etat.ENVOYEE


def test_un_impaye_enregistre_a_tort_s_annule_depuis_sa_fiche(client, entrer):
    paiement = impayes.constater(PaiementFactory(impute=True), motif="JRI", agent=entrer("COMPTABLE"))
    impaye = paiement.anomalies.get()

    client.post(geste(impaye, "annuler_impaye"), {"motif": "mauvaise ligne"})
    deuxieme = client.post(geste(impaye, "annuler_impaye"), {"motif": "encore"}, follow=True).content.decode()
    repondre(paiement, FaitFactory(paiement=paiement, statut="CAPTURED", source="REST"))

    impaye.refresh_from_db()
    assert (impaye.issue, impaye.resolution) == ("CADUQUE", "mauvaise ligne")
    assert "déjà annulé" in deuxieme
    assert paiement.anomalies.get(genre=Genre.ECART).montant == paiement.montant


def test_un_autre_role_n_annule_pas_un_impaye(client, entrer):
    paiement = impayes.constater(
        PaiementFactory(impute=True), motif="JRI", agent=AgentFactory(role="COMPTABLE").utilisateur
    )
    entrer("GESTION")

    assert client.post(geste(paiement.anomalies.get(), "annuler_impaye"), {"motif": "non"}).status_code == 403


@pytest.mark.parametrize("connue", [True, False])
def test_un_message_illisible_va_aux_agents_de_sa_caf(client, entrer, notifier, connue):
    paiement = PaiementFactory()
    notifier(
        paiement, "AUTHORISED", vads_amount="beaucoup", vads_order_id=paiement.reference if connue else "MANUEL-1"
    )
    entrer()

    anomalie = Anomalie.objects.get()

    assert (anomalie.caf, anomalie.paiement) == (paiement.caf, paiement if connue else None)
    assert client.get(fiche(anomalie)).status_code == 200


def test_ce_qui_n_est_a_aucune_caf_est_a_tous_les_agents(client, entrer, notifier):
    paiement = PaiementFactory()
    Caf.objects.update(boutique="")
    notifier(paiement, "AUTHORISED", vads_order_id="MANUEL-1")
    anomalie = Anomalie.objects.get()
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    client.post(geste(anomalie, "clore"), {"motif": "rendu au Back Office"})
    accueil = client.get(reverse("admin:index")).content.decode()

    anomalie.refresh_from_db()
    assert (anomalie.genre, anomalie.caf, anomalie.issue) == (Genre.REFERENCE_INCONNUE, None, "ECARTEE")
    assert Genre.REFERENCE_INCONNUE.label not in accueil
