"""Entrée WSGI, servie par gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from caf_remboursement.filet import Filet

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")

application = Filet(get_wsgi_application())
