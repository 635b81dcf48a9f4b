"""Entrée WSGI, servie par gunicorn."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from caf_remboursement.filet import Filet

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")

application = Filet(get_wsgi_application())
# Le service chargé ne se relit plus à chaque passage du ramasse-miettes, et reste partagé entre les ouvriers.
gc.freeze()
