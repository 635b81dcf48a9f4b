"""Une boutique qui se tait n'est plus appelée un moment, et elle seule ; sa première réponse la rétablit."""

from datetime import timedelta

import pytest
import responses
from django.conf import settings
from django.utils import timezone

from paiements import liaisons
from paiements.models import Anomalie, Liaison, Paiement
from paiements.payzen import EchecRest
from paiements.statuts import Statut
from paiements.verification import interroger
from tests.factories import CafFactory, DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory
from tests.ordres import ecouter

pytestmark = pytest.mark.django_db
BOUTIQUE = "66100001"


@pytest.fixture
def muette(plateforme):
    """PayZen répond 503 à tout, pour toutes les boutiques."""
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", status=503)
    return plateforme


@pytest.fixture
def coupee(muette):
    paiement = PaiementFactory(accepte=True)
    while not liaisons.get_boutiques_coupees():
        interroger.interroger(paiement.pk)
    return paiement


def test_apres_quatre_silences_la_boutique_n_est_plus_appelee(muette, coupee):
    appels = len(muette.serveur.calls)

    interroger.interroger(coupee.pk)

    assert Liaison.objects.get().echecs == liaisons.SEUIL
    assert len(muette.serveur.calls) == appels == liaisons.SEUIL


def test_ses_paiements_attendent_et_ceux_des_autres_boutiques_passent(coupee):
    ailleurs = UtilisateurFactory(allocataire__caf=CafFactory(code="751", nom="Caf de Paris", departement="75"))
    demarche = DemarcheFactory(auteur=ailleurs, lignes={DetteFactory(allocataire=ailleurs.allocataire): 120})
    autre = PaiementFactory(demarche=demarche, accepte=True)
    Paiement.objects.update(prochain_controle_le=timezone.now())

    assert interroger.reserver(10) == [autre.pk]


def test_la_premiere_reponse_retablit(plateforme, coupee, time_machine):
    time_machine.move_to(timezone.now() + timedelta(minutes=3))
    plateforme.serveur.reset()
    plateforme(coupee, "AUTHORISED")

    interroger.interroger(coupee.pk)

    coupee.refresh_from_db()
    liaison = Liaison.objects.get()
    assert coupee.statut == Statut.VERIFIE
    assert (liaison.echecs, liaison.muette_depuis, liaison.coupee_jusqu_a) == (0, None, None)


def test_une_heure_de_silence_ouvre_une_anomalie_que_la_reponse_ferme(plateforme, coupee, time_machine):
    for _ in range(40):
        time_machine.move_to(timezone.now() + timedelta(minutes=3))
        interroger.interroger(coupee.pk)
    ouvertes = list(Anomalie.objects.ouvertes().values_list("genre", "cle", "caf"))
    time_machine.move_to(timezone.now() + timedelta(minutes=3))
    plateforme.serveur.reset()
    plateforme(coupee, "AUTHORISED")

    interroger.interroger(coupee.pk)

    assert ouvertes == [(Anomalie.Genre.LIAISON_MUETTE, f"PayZen {BOUTIQUE}", "661")]
    assert not Anomalie.objects.ouvertes().exists()


def test_un_refus_de_la_plateforme_est_une_reponse(plateforme):
    paiement = PaiementFactory()
    corps = {"status": "ERROR", "mode": "TEST", "answer": {"errorCode": "PSP_099", "errorMessage": "trop d'appels"}}
    plateforme.serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", json=corps)

    for _ in range(liaisons.SEUIL + 1):
        with pytest.raises(EchecRest):
            interroger.lire_la_plateforme(paiement)

    assert Liaison.objects.get().echecs == 0


def test_un_agent_qui_interroge_passe_outre(coupee, muette):
    """Il est devant, et veut savoir maintenant."""
    responses.reset()
    muette.serveur.reset()
    muette(coupee, "AUTHORISED")

    assert interroger.lire_la_plateforme(coupee).faits


def test_noter_une_reponse_ne_lit_que_ce_qu_une_migration_ne_change_pas():
    """Le plan en est gardé : le type d'une colonne lue, changé, ferait perdre la réponse qu'on vient de recevoir."""
    liaisons.noter_reponse(liaisons.COURRIEL)

    with ecouter() as ordres:
        liaisons.noter_reponse(liaisons.COURRIEL)

    lues = [ordre.partition(" FROM ")[0] for ordre in ordres]
    assert lues == ['SELECT "paiements_liaison"."nom" AS "pk"']
