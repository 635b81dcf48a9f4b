"""Application WSGI du simulateur."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "simulateur_payzen.settings"

application = get_wsgi_application()
