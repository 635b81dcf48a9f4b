from datetime import timedelta

import pytest
from celery import Celery, current_app
from django.conf import settings
from django.utils import timezone

from paiements import tasks
from paiements.statuts import Statut
from tests.factories import PaiementFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sur_place():
    """Les tâches s'exécutent là où elles sont réveillées : le code est le vrai, le broker n'y est pas."""
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


def test_le_balayage_mene_un_accord_jusqu_a_la_dette(sur_place, plateforme):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED")

    tasks.balayer()

    paiement.refresh_from_db()
    assert paiement.statut == Statut.IMPUTE
    assert paiement.imputations.count() == 1


def test_un_broker_eteint_ne_fait_rien_echouer(caplog):
    ailleurs = Celery("ailleurs", broker="redis://127.0.0.1:9/0", set_as_current=False)
    ailleurs.conf.task_publish_retry = settings.CELERY_TASK_PUBLISH_RETRY

    tasks.reveiller(ailleurs.task(tasks.balayer.run, name="balayer"))

    assert "broker injoignable" in caplog.text


def test_balayer_ne_reveille_que_ce_qui_est_du(sur_place, plateforme):
    """Un paiement chez la banque n'est pas dû avant 25 minutes : la plateforme, muette ici, n'est pas appelée."""
    paiement = PaiementFactory()

    tasks.balayer()

    paiement.refresh_from_db()
    assert (paiement.statut, paiement.controles) == (Statut.EN_ATTENTE, 0)
    assert not plateforme.serveur.calls


def test_un_reveil_perdu_est_rattrape_par_la_base(sur_place, plateforme, time_machine):
    paiement = PaiementFactory(accepte=True)
    plateforme(paiement, "AUTHORISED")
    tasks.verification.reserver(10)  # Le worker qui l'avait pris est mort avant d'interroger la plateforme.

    tasks.balayer()
    paiement.refresh_from_db()
    pendant_le_bail = paiement.statut
    time_machine.move_to(timezone.now() + timedelta(seconds=61))
    tasks.balayer()

    paiement.refresh_from_db()
    assert (pendant_le_bail, paiement.statut) == (Statut.ACCEPTE, Statut.IMPUTE)


def test_chaque_tache_a_la_file_de_son_voisin():
    routes = {
        nom: current_app.amqp.router.route({}, nom)["queue"].name for nom in current_app.tasks if "paiements" in nom
    }

    assert routes == {
        "paiements.tasks.balayer": "argent",
        "paiements.tasks.battre": "argent",
        "paiements.tasks.reprendre_les_trop_payes": "argent",
        "paiements.tasks.interroger": "payzen",
        "paiements.tasks.restituer": "payzen",
        "paiements.tasks.envoyer_ticket": "tickets",
    }


def test_un_ouvrier_sans_file_designee_les_sert_toutes():
    assert set(current_app.amqp.queues.consume_from) == set(settings.FILES)
