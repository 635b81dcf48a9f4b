"""La base des tests, gardée d'une fois sur l'autre : jamais celle d'autres migrations."""

import psycopg
import pytest

from outils import moule, postgres


@pytest.fixture
def projet(tmp_path, monkeypatch):
    """Un projet d'une migration, et l'endroit où ses moules se gardent."""
    migration = tmp_path / "app" / "migrations" / "0001_depart.py"
    migration.parent.mkdir(parents=True)
    migration.write_text("operations = []")
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(moule, "RACINE", tmp_path)
    monkeypatch.setattr(moule, "LIEU", tmp_path / ".venv" / "moules")
    return migration


def test_une_migration_changee_ne_retrouve_pas_l_ancienne_base(projet):
    avant = moule.get_archive()

    projet.write_text("operations = [1]")

    assert moule.get_archive() != avant


def test_une_base_gardee_se_retrouve_telle_que_migree(projet, tmp_path):
    premiere, seconde = tmp_path / "premiere", tmp_path / "seconde"
    try:
        url, migree = moule.start(premiere)
        with psycopg.connect(url, autocommit=True) as connexion:
            connexion.execute(f"CREATE DATABASE {moule.TESTS}")
        with psycopg.connect(url.replace("/rembourser?", f"/{moule.TESTS}?")) as connexion:
            connexion.execute("CREATE TABLE migree ()")
        moule.cast(url)
        postgres.stop(premiere)
        moule.keep(premiere)

        url, retrouvee = moule.start(seconde)

        with psycopg.connect(url.replace("/rembourser?", f"/{moule.TESTS}?")) as connexion:
            assert connexion.execute("SELECT FROM migree").fetchall() == []
        assert (migree, retrouvee) == (False, True)
    finally:
        postgres.erase(premiere)
        postgres.erase(seconde)
