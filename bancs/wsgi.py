"""Le service, avec les vues étalons (urls.py) : ce que sert le gunicorn des bancs."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
from django.conf import settings

settings.ROOT_URLCONF = "bancs.urls"

from caf_remboursement.wsgi import application

__all__ = ["application"]
