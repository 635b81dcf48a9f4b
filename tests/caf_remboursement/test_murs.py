"""Ce que la suite interdit à ses propres tests."""

import socket

import pytest


def test_aucune_connexion_ne_sort_de_la_boucle_locale() -> None:
    with pytest.raises(RuntimeError, match="a voulu joindre"), socket.socket() as prise:
        prise.connect(("192.0.2.1", 80))


def test_aucun_nom_ne_se_cherche_dehors() -> None:
    with pytest.raises(RuntimeError, match="a cherché"):
        socket.getaddrinfo("payzen.invalid", 443)
