"""Une lecture garde sa connexion d'un appel à l'autre, et rien d'autre : ni cookie, ni la connexion d'un ordre."""

import json
import threading
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from paiements.payzen import Client
from tests.paiements.payzen.plateforme import COMMANDE, REFERENCE, TRANSACTION, UUID


@pytest.fixture
def serveur():
    """Une plateforme qui garde ses connexions et pose un cookie ; `ouvertes` et `cookies` disent ce qu'elle a vu."""

    class Reponse(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.server.ouvertes.add(self.client_address)
            self.server.cookies.append(self.headers.get("Cookie"))
            self.rfile.read(int(self.headers["Content-Length"]))
            reponse = COMMANDE if self.path.endswith("Order/Get") else TRANSACTION
            corps = json.dumps({"status": "SUCCESS", "mode": "TEST", "answer": reponse}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(corps)))
            self.send_header("Set-Cookie", "trace=1")
            self.end_headers()
            self.wfile.write(corps)

        def log_message(self, *_):
            pass

    serveur = ThreadingHTTPServer(("127.0.0.1", 0), Reponse)
    serveur.daemon_threads = True
    serveur.ouvertes, serveur.cookies = set(), []
    threading.Thread(target=serveur.serve_forever, daemon=True).start()
    yield serveur
    serveur.shutdown()
    serveur.server_close()


def test_deux_lectures_une_connexion_et_un_ordre_la_sienne(serveur, boutique):
    client = Client(replace(boutique, url_api=f"http://127.0.0.1:{serveur.server_port}"))

    client.get_order(REFERENCE)
    client.get_order(REFERENCE)
    assert len(serveur.ouvertes) == 1
    client.cancel_or_refund(UUID, Decimal("45.25"), "essai")

    assert len(serveur.ouvertes) == 2
    assert serveur.cookies == [None, None, None]


def test_le_mandataire_de_l_environnement_se_lit_une_fois(serveur, boutique, monkeypatch):
    """Relu à chaque appel, l'environnement en coûtait la moitié ; le changer demande de relancer les ouvriers."""
    client = Client(replace(boutique, url_api="http://plateforme.invalid"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{serveur.server_port}")

    client.get_order(REFERENCE)
    monkeypatch.delenv("http_proxy")
    client.get_order(REFERENCE)

    assert len(serveur.cookies) == 2
