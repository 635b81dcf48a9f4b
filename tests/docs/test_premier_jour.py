"""Le premier changement du guide se joue tel qu'il est écrit : son test tombe, puis passe avec sa ligne de gabarit."""

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from comptes.models import Utilisateur
from outils.systeme import RACINE
from outils.traductions import extraire
from tests.dettes import test_pages
from tests.factories import UtilisateurFactory

pytestmark = pytest.mark.django_db
GUIDE = (RACINE / "docs/premier-jour.md").read_text(encoding="utf-8")
BLOCS = [textwrap.dedent(bloc).strip() for bloc in re.findall(r"(?:^ {7}\S?.*\n|^\n(?= {7}))+", GUIDE, re.MULTILINE)]
GABARIT, REPERE = re.findall(r"Dans `templates/([^`]+)`, sous la ligne « ([^»]+) »", GUIDE)[0]


def lire_le_test() -> Callable[[Client, Utilisateur], None]:
    """Le test que le guide fait écrire, là où il le fait écrire."""
    source = next(bloc for bloc in BLOCS if bloc.startswith("def test_"))
    lieu = dict(vars(test_pages))
    exec(source, lieu)  # noqa: S102
    essai: Callable[[Client, Utilisateur], None] = lieu[source.removeprefix("def ").partition("(")[0]]
    return essai


@pytest.fixture
def moi(client: Client) -> Utilisateur:
    utilisateur: Utilisateur = UtilisateurFactory()
    client.force_login(utilisateur)
    return utilisateur


def test_le_test_du_guide_tombe_puis_passe(
    client: Client, moi: Utilisateur, settings: LazySettings, tmp_path: Path
) -> None:
    essai, ligne = lire_le_test(), next(bloc for bloc in BLOCS if bloc.startswith("<"))
    with pytest.raises(AssertionError):
        essai(client, moi)

    avant = (RACINE / "templates" / GABARIT).read_text(encoding="utf-8")
    apres = re.sub(rf"^.*{re.escape(REPERE)}.*\n", lambda repere: repere[0] + ligne + "\n", avant, flags=re.MULTILINE)
    change = tmp_path / GABARIT
    change.parent.mkdir(parents=True)
    change.write_text(apres, encoding="utf-8")
    (moteur,) = settings.TEMPLATES
    settings.TEMPLATES = [moteur | {"DIRS": [tmp_path, *moteur["DIRS"]]}]

    essai(client, moi)


def test_la_phrase_du_guide_est_neuve() -> None:
    (phrase,) = re.findall(r'msgid "([^"]+)"', GUIDE)

    assert f'{{% translate "{phrase}" %}}' in GUIDE
    assert phrase not in extraire()
