"""L'application Celery : ses réglages sont ceux de Django, préfixés CELERY_."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")

app = Celery("caf_remboursement")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
