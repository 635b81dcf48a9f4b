"""Entrée WSGI, servie par gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")

application = get_wsgi_application()
