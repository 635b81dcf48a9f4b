"""Ce que tous les tests partagent ; la base et le courtier viennent du plugin `outils.pytest_services`."""

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models.expressions import OrderBy
from django.db.models.sql.compiler import SQLCompiler
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker

import caf_remboursement.celery  # noqa: F401 (les tâches appelées ici partent par notre courtier, comme d'un ouvrier)

BOUCLE_LOCALE = ("127.0.0.1", "::1", "localhost", "", None)


def refuse_outside(evenement: str, arguments: tuple[Any, ...]) -> None:
    """Aucun test ne sort de la boucle locale : ni connexion, ni même une question au DNS."""
    if evenement == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] not in BOUCLE_LOCALE:
        raise RuntimeError(f"un test a voulu joindre {arguments[1][0]}")
    if evenement == "socket.getaddrinfo" and arguments[0] not in BOUCLE_LOCALE:
        raise RuntimeError(f"un test a cherché l'adresse de {arguments[0]}")


def pytest_configure() -> None:
    """Allège les réglages pour les tests : ni fichiers statiques à préparer, ni hachage lent des mots de passe."""
    sys.addaudithook(refuse_outside)
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    # Un essai qui tient une transaction réfléchit dedans : aussi longtemps que la machine est lente.
    options = settings.DATABASES["default"]["OPTIONS"]
    options["options"] += " -c lock_timeout=90s -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """La base migrée, moulée pour la fois d'après (outils/moule.py)."""
    with django_db_blocker.unblock():
        connection.close()
    request.getfixturevalue("_base_moulee")


@pytest.fixture(scope="session", autouse=True)
def sans_ordre_a_l_envers() -> Iterator[None]:
    """Une lecture qui ne demande pas d'ordre n'en a pas : la base la rend ici à l'envers, comme elle en a le droit."""
    ordonner = SQLCompiler._order_by_pairs

    def retourner(compilateur: SQLCompiler) -> Iterator[tuple[OrderBy, bool]]:
        demande, requete = list(ordonner(compilateur)), compilateur.query
        a_sa_forme = requete.distinct or requete.combinator or requete.group_by or requete.subquery
        compte = any(ajout.contains_aggregate for ajout in requete.annotation_select.values())
        if demande or a_sa_forme or compte or not requete.model:
            yield from demande
        else:
            cle = requete.get_meta().pk
            yield OrderBy(cle.get_col(requete.get_initial_alias()), descending=True), False

    with pytest.MonkeyPatch.context() as rapiecage:
        rapiecage.setattr(SQLCompiler, "_order_by_pairs", retourner)
        yield


@pytest.fixture(autouse=True)
def cache_vide() -> None:
    """Aucun test n'hérite des essais de connexion comptés par un autre."""
    cache.clear()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Le Chromium du système, un seul pour tous les essais ; sans lui ils échouent, et disent quoi taper."""
    programme = shutil.which("chromium")
    if programme is None:
        pytest.fail("Chromium n'est pas installé : sudo apt-get install chromium")
    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    # Ne borne qu'un échec : une machine chargée met plus de cinq secondes à ouvrir une page.
    expect.set_options(timeout=60_000)
    with sync_playwright() as pilote:
        navigateur = pilote.chromium.launch(executable_path=programme, args=options)
        yield navigateur
        navigateur.close()
