"""Entrée WSGI, servie par gunicorn."""

import gc
import os

# Rien de ce qui se charge ici n'est à ramasser, et le relire sans cesse prend un sixième du départ. Figé ensuite, il
# n'est plus relu dans les ouvriers : les relectures y copieraient la mémoire que le préchargement leur fait partager.
gc.disable()

from django.core.wsgi import get_wsgi_application  # noqa: E402 (Django compris)

from caf_remboursement.filet import Filet  # noqa: E402 (idem)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")

application = Filet(get_wsgi_application())
gc.freeze()
gc.enable()
