"""Le départ du web et sa mémoire, rapportés à ceux d'un Django nu d'une vue."""

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from bancs.mesure import TOURS, Ligne, dire
from outils.systeme import RACINE

# Celui de la production, qu'écrivent `check` et `collectstatic` ; le premier tour, jeté, l'écrit ici.
AVEC_BYTECODE = {nom: valeur for nom, valeur in os.environ.items() if nom != "PYTHONDONTWRITEBYTECODE"}
AVEC_BYTECODE |= {"PYTHONPYCACHEPREFIX": str(Path(os.environ["BANCS_DOSSIER"]) / "bytecode")}
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


def list_absents() -> list[str]:
    """Les modules que la production n'a pas : une bibliothèque qui trouve `rich` ou `yaml` les charge sans le dire."""
    figees = re.findall(r"^([\w.-]+)==", Path(RACINE, "requirements/production.txt").read_text(), re.MULTILINE)
    presentes = {_nommer(nom) for nom in figees}
    return [module for module, noms in packages_distributions().items() if presentes.isdisjoint(map(_nommer, noms))]


def _nommer(distribution: str) -> str:
    """Le nom d'un paquet, écrit d'une seule façon (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def lancer(programme: str, absents: list[str]) -> tuple[float, float]:
    """Le temps de processeur, en secondes, et la mémoire, en Ko, d'un interpréteur neuf où ces modules manquent."""
    sans = f"import sys; sys.modules.update(dict.fromkeys({absents!r}))\n"
    sortie = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", sans + programme],
        check=True,
        capture_output=True,
        text=True,
        env=AVEC_BYTECODE,
    ).stdout.split()
    return float(sortie[0]), float(sortie[1])


def main() -> None:
    absents = list_absents()
    couples = [(lancer(NOUS, absents), lancer(NU, absents)) for _ in range(TOURS + 1)][1:]
    dire(Ligne("Départ du web ÷ Django nu", [nous[0] / nu[0] for nous, nu in couples], 2))
    dire(Ligne("Mémoire du web ÷ Django nu", [nous[1] / nu[1] for nous, nu in couples], 1.6))


if __name__ == "__main__":
    main()
