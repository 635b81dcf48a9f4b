"""Le départ du web et sa mémoire, rapportés à ceux d'un Django nu d'une vue."""

import os
import subprocess
import sys

from bancs.mesure import TOURS, Ligne, dire

FIN = """
import resource
vu = resource.getrusage(resource.RUSAGE_SELF)
print(vu.ru_utime + vu.ru_stime, vu.ru_maxrss)
"""
NOUS = "import caf_remboursement.wsgi, caf_remboursement.urls" + FIN
NU = (
    """
import sys
from django.conf import settings
settings.configure(ROOT_URLCONF="__main__", SECRET_KEY="x", INSTALLED_APPS=["django.contrib.auth",
    "django.contrib.contenttypes", "django.contrib.sessions"], ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}})
import django.db.backends.postgresql.base
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse(""))]
get_wsgi_application()
"""
    + FIN
)


def lancer(programme: str) -> tuple[float, float]:
    """Le temps de processeur, en secondes, et la mémoire, en Ko, d'un interpréteur neuf."""
    sortie = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", programme], check=True, capture_output=True, text=True, env=os.environ
    ).stdout.split()
    return float(sortie[0]), float(sortie[1])


def main() -> None:
    couples = [(lancer(NOUS), lancer(NU)) for _ in range(TOURS + 1)][1:]
    dire(Ligne("Départ du web ÷ Django nu", [nous[0] / nu[0] for nous, nu in couples], 2))
    dire(Ligne("Mémoire du web ÷ Django nu", [nous[1] / nu[1] for nous, nu in couples], 1.6))


if __name__ == "__main__":
    main()
