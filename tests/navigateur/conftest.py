"""Une démonstration pour toute la session, des navigateurs avec et sans JavaScript."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.navigateur.captures import Captures
from tests.navigateur.demonstration import Demonstration, lancer_une_demonstration
from tests.navigateur.examen import HAUTEUR, Examen
from tests.navigateur.validite import valider
from tests.navigateur.visiteur import Visiteur

Ouvrir = Callable[..., Visiteur]


@pytest.fixture(scope="session")
def demonstration() -> Iterator[Demonstration]:
    """Le service entier, démarré une fois ; à la fin ses comptes sont justes et rien n'en reste."""
    demonstration = lancer_une_demonstration()
    try:
        yield demonstration
        demonstration.gerer("verifier_invariants")
        code, survivants = demonstration.arreter()
        assert (code, survivants) == (0, []), demonstration.lire_le_journal()
    finally:
        demonstration.effacer()


@pytest.fixture(scope="session")
def examen_de_session() -> Iterator[Examen]:
    """
    Ce qui a été vu ; à la fin, vnu lit chacun des états recueillis.

    Avec CAPTURES=dossier (`make captures`), chaque état y est aussi photographié.
    """
    captures = Captures(Path(os.environ["CAPTURES"])) if os.environ.get("CAPTURES") else None
    examen = Examen(captures)
    yield examen
    if captures:
        captures.composer_la_planche()
    fautes = valider(examen.sources)
    assert not fautes, "\n".join(fautes)


@pytest.fixture
def examen(examen_de_session: Examen) -> Iterator[Examen]:
    """Les fautes d'un essai : aucune, à la fin."""
    examen_de_session.fautes.clear()
    yield examen_de_session
    assert not examen_de_session.fautes, "\n".join(examen_de_session.fautes)


@pytest.fixture
def ouvrir(chromium: Browser, demonstration: Demonstration, examen: Examen) -> Iterator[Ouvrir]:
    """De quoi ouvrir un navigateur de plus, sur un petit téléphone."""
    contextes: list[BrowserContext] = []
    demonstration.oublier_les_bornes()

    def ouvrir(*, javascript: bool = True) -> Visiteur:
        contexte = chromium.new_context(
            viewport={"width": 320, "height": HAUTEUR}, locale="fr-FR", java_script_enabled=javascript
        )
        contextes.append(contexte)
        contexte.set_default_timeout(60_000)
        examen.surveiller(contexte)
        return Visiteur(contexte.new_page(), demonstration, examen, javascript=javascript)

    yield ouvrir
    for contexte in contextes:
        contexte.close()
    demonstration.regler(pannes={"ipn": None, "rest": None})


@pytest.fixture
def visiteur(ouvrir: Ouvrir) -> Visiteur:
    """Une personne et son navigateur."""
    return ouvrir()
