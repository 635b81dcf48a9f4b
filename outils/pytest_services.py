"""
Plugin de pytest : une base et un courtier pour la durée des tests, et les variables que les réglages demandent.

Se charge par `-p outils.pytest_services`, avant que Django lise ses réglages. Ce que l'environnement donne déjà
(DATABASE_URL, REDIS_URL…) n'est pas remplacé.
"""

import json
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from outils import moule, postgres, valkey
from outils.systeme import Empechement, remove_tree

A_MOULER, MOULEE = pytest.StashKey[bool](), pytest.StashKey[bool]()
SITES = ("66100001", "75100001", "59800001")
VARIABLES = {
    "SECRET_KEY": "clé publique, pour les tests seulement",
    "DEBUG": "false",
    "HTTPS": "false",
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "ADRESSE_PUBLIQUE": "http://testserver",
    "CONTACT_SECURITE": "mailto:securite@caf.invalid",
    "EMAIL_URL": "memorymail://",
    "IMPORT_REJETS": "livraisons/rejets",
    "NIVEAU_JOURNAL": "WARNING",
    "PAYZEN_MODE": "TEST",
    # Le domaine « .invalid » ne mène nulle part : un test qui sortirait échoue au lieu d'appeler la vraie plateforme.
    "PAYZEN_URL_FORMULAIRE": "https://payzen.invalid/vads-payment/",
    "PAYZEN_URL_API": "https://payzen.invalid/api-payment/V4/",
    "PAYZEN_BOUTIQUES": json.dumps(
        {site: {"TEST": {"cle": f"cle-{site}", "mot_de_passe": f"testpassword_{site}"}} for site in SITES}
    ),
    # Playwright garde une boucle asyncio : sans ceci Django refuse d'ouvrir la base dans ces tests.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Prépare les services avant pytest-django, et les arrête à la fin, même interrompue."""
    for nom, valeur in VARIABLES.items():
        os.environ.setdefault(nom, valeur)
    dossier = Path(tempfile.mkdtemp(prefix="rembourser-tests-"))
    dossier.chmod(0o711)  # le compte de PostgreSQL n'est pas toujours le nôtre
    early_config.add_cleanup(lambda: _clean(early_config, dossier))
    try:
        if not os.environ.get("DATABASE_URL"):
            os.environ["DATABASE_URL"], migree = moule.start(dossier / "base")
            early_config.stash[A_MOULER] = not migree
        if not os.environ.get("REDIS_URL"):
            os.environ["REDIS_URL"] = valkey.start(dossier / "courtier")
    except Empechement as empechement:
        raise pytest.UsageError(str(empechement)) from empechement
    yield


def pytest_configure(config: pytest.Config) -> None:
    """Déjà migrée, la base se prend comme elle est : pytest-django n'y rejoue que ce qui manque, rien."""
    if not config.stash.get(A_MOULER, True):
        config.option.reuse_db = True


@pytest.fixture(scope="session")
def _base_moulee(request: pytest.FixtureRequest) -> None:
    """Une fois migrée, la base de cette fois sert de moule aux suivantes."""
    if request.config.stash.get(A_MOULER, False):
        moule.cast(os.environ["DATABASE_URL"])
        request.config.stash[MOULEE] = True


def _clean(config: pytest.Config, dossier: Path) -> None:
    """Arrête ce que ce plugin a démarré, garde la base si elle est neuve, et efface tout."""
    valkey.stop(dossier / "courtier")
    if config.stash.get(MOULEE, False):
        postgres.stop(dossier / "base")
        moule.keep(dossier / "base")
    postgres.erase(dossier / "base")
    remove_tree(dossier)
