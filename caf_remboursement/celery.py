"""L'application Celery : ses réglages sont ceux de Django, préfixés CELERY_."""

import os

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")

app = Celery("caf_remboursement")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery n'a pas de types
def garder_nos_journaux(**_: object) -> None:
    """Qui écoute ce signal règle les journaux à la place de Celery : Django les a déjà réglés."""
