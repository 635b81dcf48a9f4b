"""Le réseau que l'on coupe entre le service et un voisin : ouvert il porte, coupé il refuse, muet il retient."""

import socket
import threading

import pytest

from outils.essai.relais import Relais
from outils.systeme import find_port


@pytest.fixture
def relais():
    """Un relais devant un voisin qui répète ce qu'on lui dit."""
    ecoute = socket.create_server(("127.0.0.1", find_port()))

    def repeter(prise):
        with prise:
            while octets := prise.recv(100):
                prise.sendall(octets)

    def servir():
        while True:
            try:
                prise, _ = ecoute.accept()
            except OSError:
                return
            threading.Thread(target=repeter, args=(prise,), daemon=True).start()

    threading.Thread(target=servir, daemon=True).start()
    yield Relais(ecoute.getsockname()[1])
    ecoute.close()


def joindre(relais):
    return socket.create_connection(("127.0.0.1", relais.port), 30)


def test_ouvert_il_porte(relais):
    with joindre(relais) as prise:
        prise.sendall(b"bonjour")

        assert prise.recv(100) == b"bonjour"


def test_coupe_tout_se_ferme_et_rien_ne_s_ouvre(relais):
    with joindre(relais) as prise:
        prise.sendall(b"a")
        prise.recv(100)

        relais.regler("coupe")

        assert lire(prise) == b""
        with joindre(relais) as seconde:
            assert lire(seconde) == b""


def test_muet_il_retient_puis_porte_ce_qu_il_tenait(relais):
    with joindre(relais) as prise:
        relais.regler("muet")
        prise.sendall(b"tard")
        prise.settimeout(0.3)
        with pytest.raises(TimeoutError):
            prise.recv(100)

        relais.regler("ouvert")
        prise.settimeout(30)

        assert prise.recv(100) == b"tard"


def lire(prise):
    """Ce qui vient ; rien si la connexion est rompue."""
    try:
        return prise.recv(100)
    except ConnectionError:
        return b""
