"""Ce que la suite interdit à ses propres tests."""

import socket

import pytest

from outils.systeme import RACINE


def test_aucune_connexion_ne_sort_de_la_boucle_locale() -> None:
    with pytest.raises(RuntimeError, match="a voulu joindre"), socket.socket() as prise:
        prise.connect(("192.0.2.1", 80))


def test_aucun_nom_ne_se_cherche_dehors() -> None:
    with pytest.raises(RuntimeError, match="a cherché"):
        socket.getaddrinfo("payzen.invalid", 443)


def test_un_fichier_d_essais_tient_en_trois_cents_lignes() -> None:
    longs = [f for f in (RACINE / "tests").rglob("*.py") if len(f.read_text(encoding="utf-8").splitlines()) > 300]

    assert longs == []
