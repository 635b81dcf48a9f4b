"""Ce que tous les tests partagent ; la base et le courtier viennent du greffon `outils.pytest_services`."""

import pytest
from django.conf import settings
from django.core.cache import cache


def pytest_configure() -> None:
    """Allège les réglages pour les tests : ni fichiers statiques à préparer, ni hachage lent des mots de passe."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def cache_vide() -> None:
    """Aucun test n'hérite des essais de connexion comptés par un autre."""
    cache.clear()
