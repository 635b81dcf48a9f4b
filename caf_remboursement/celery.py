"""
L'application Celery : ses réglages sont ceux de Django, préfixés CELERY_.

`celery -A caf_remboursement` la charge ; le web, qui ne réveille aucune tâche (docs/adr/0002), s'en passe.
"""

import gc
import os

from celery import Celery
from celery.signals import setup_logging, task_prerun, worker_process_init
from django.db import close_old_connections
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")

app = Celery("caf_remboursement")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery n'a pas de types
def garder_nos_journaux(**_: object) -> None:
    """Qui écoute ce signal règle les journaux à la place de Celery : Django les a déjà réglés."""


@task_prerun.connect  # type: ignore[untyped-decorator]  # idem
def verifier_la_connexion(**_: object) -> None:
    """
    La connexion à la base sert d'une tâche à l'autre, comme au web d'une page à l'autre ; cassée ou trop vieille, elle
    se rouvre. La fermer après chaque tâche, ce que Celery fait d'origine, coûtait plus à PostgreSQL que la tâche.
    """
    close_old_connections()


@worker_process_init.connect  # type: ignore[untyped-decorator]  # idem
def precharger(**_: object) -> None:
    """Qui sert la file des tickets charge de quoi les rendre à son départ, et non au premier ticket."""
    if "tickets" in app.amqp.queues.consume_from:
        from paiements.documents.pdf import warm_up

        warm_up()
        gc.freeze()  # rendre un ticket réveille sans cesse le ramasse-miettes, qui relirait toute la bibliothèque
