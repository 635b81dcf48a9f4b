"""
La plateforme d'un banc : un autre processus, qui rend `Order/Get` après la latence d'un réseau et d'une banque.

`python -m bancs.plateforme PORT LATENCE COMMANDES` : les commandes, un JSON de réponses par référence.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def main(port: int, latence: float, commandes: dict[str, object]) -> None:
    class Guichet(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            demande = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(latence)
            corps = json.dumps(commandes[demande["orderId"]]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(corps)))
            self.end_headers()
            self.wfile.write(corps)

        def log_message(self, *_: object) -> None:
            """Rien : le banc mesure, il ne raconte pas."""

    ThreadingHTTPServer(("127.0.0.1", port), Guichet).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text()))
