"""Une ligne JSON par fait, l'identifiant du serveur frontal, celui d'une tâche, et rien de personnel."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from celery import shared_task
from celery.contrib.testing.worker import start_worker
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import path, reverse

from caf_remboursement import urls
from caf_remboursement.celery import app
from caf_remboursement.journaux import build_formatter
from outils.systeme import wait_until
from tests.connexion import entrer_en_agent
from tests.factories import AgentFactory

logger = logging.getLogger(__name__)
IDENTIFIANT = "front-0123456789abcdef"


class Journal(logging.Handler):
    """Les lignes écrites, telles que le processus les rend."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(build_formatter())
        self.lignes: list[dict[str, Any]] = []

    def emit(self, ligne: logging.LogRecord) -> None:
        self.lignes.append(json.loads(self.format(ligne)))

    def suivre(self) -> None:
        logging.getLogger().addHandler(self)


@pytest.fixture
def journal() -> Iterator[Journal]:
    journal = Journal()
    journal.suivre()
    yield journal
    logging.getLogger().removeHandler(journal)


@shared_task
def parler_plus_tard() -> None:
    logger.warning("plus tard")


@shared_task
def balayer_pour_parler() -> None:
    logger.warning("balayage")
    parler_plus_tard.delay()


@login_not_required
def parler(request: HttpRequest) -> None:
    logger.warning("un fait", extra={"paiement": "P-1"})
    raise RuntimeError("cassé")


urlpatterns = [path("parler/", parler), *urls.urlpatterns]


@override_settings(ROOT_URLCONF=__name__)
def test_une_panne_s_ecrit_en_une_ligne_avec_l_identifiant_du_serveur_frontal(
    client: Client, journal: Journal
) -> None:
    client.raise_request_exception = False

    client.get("/parler/?numero=0000357", headers={"x-request-id": IDENTIFIANT})

    assert [(ligne["message"], ligne["request_id"]) for ligne in journal.lignes] == [
        ("un fait", IDENTIFIANT),
        ("request_failed", IDENTIFIANT),
    ]
    assert "RuntimeError" in journal.lignes[1]["exception"]
    assert "0000357" not in json.dumps(journal.lignes)


@pytest.mark.parametrize("faux", ["court", "a" * 65, 'un"faux', "a b c d e f g h", "éééééééééé"])
def test_un_identifiant_qui_n_en_est_pas_un_est_remplace(client: Client, journal: Journal, faux: str) -> None:
    client.get("/rien-ici/", headers={"x-request-id": faux})

    assert [len(ligne["request_id"]) for ligne in journal.lignes] == [36]


@pytest.mark.django_db
def test_une_page_refusee_ne_dit_ni_la_question_ni_la_personne(client: Client, journal: Journal) -> None:
    entrer_en_agent(client, AgentFactory().utilisateur)
    liste = reverse("admin:paiements_paiement_changelist")

    client.get(liste, {"demarche__allocataire__nom__startswith": "Colin"}, headers={"user-agent": "navigateur"})

    (ligne,) = [ligne for ligne in journal.lignes if ligne.get("code") == 400]
    assert ligne["request"] == f"GET {liste}"
    assert not any(mot in json.dumps(journal.lignes) for mot in ("Colin", "127.0.0.1", "navigateur", "user_id"))


def test_une_notification_refusee_n_ecrit_que_deux_lignes(client: Client, journal: Journal) -> None:
    client.post(reverse("paiements:notification"), {"vads_cust_email": "ines@exemple.fr"})

    assert [ligne["message"] for ligne in journal.lignes] == ["notification PayZen refusée", "request_finished"]
    assert "ines" not in json.dumps(journal.lignes)


def test_une_tache_dit_la_sienne_et_celle_qui_l_a_reveillee(journal: Journal) -> None:
    with start_worker(app, perform_ping_check=False):
        journal.suivre()  # en naissant, l'ouvrier a réglé les journaux de nouveau
        balayer_pour_parler.delay()
        assert wait_until(lambda: any(ligne["message"] == "plus tard" for ligne in journal.lignes), 20)

    balayage, suite = (ligne for ligne in journal.lignes if ligne["message"] in ("balayage", "plus tard"))
    assert suite["task_id"] != balayage["task_id"] == suite["parent_task_id"]
