"""
L'attrape-courriel de la démonstration : reçoit par SMTP, garde dans un dossier, montre sur une page.

Rien ne part vers une vraie boîte. `python -m outils.courriels --smtp 25025 --port 8002 --dossier .demo/courriels`
"""

import argparse
import html
import re
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiosmtpd.controller import Controller

STYLE = Path(__file__).with_name("courriels.css")
NOM = re.compile(r"\d{8}T\d{6}\.\d{6}-[0-9a-f]{8}")
ADRESSE = re.compile(rf"/messages/(?P<nom>{NOM.pattern})/(?:pieces/(?P<piece>\d+)/)?")
PARIS = ZoneInfo("Europe/Paris")
# Un courriel n'est pas de nous : rien de ce qu'il contient ne se charge ni ne s'exécute.
POLITIQUE = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
ENTETES = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


class Boite:
    """Les courriels reçus, un fichier chacun, dont le nom dit l'heure d'arrivée (UTC)."""

    def __init__(self, dossier: Path) -> None:
        self.dossier = dossier
        dossier.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(self, contenu: bytes) -> str:
        """Garde un courriel, et rend son nom."""
        nom = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}"
        brouillon = self.dossier / f".{nom}"
        brouillon.write_bytes(contenu)
        brouillon.rename(self.dossier / f"{nom}.eml")
        return nom

    def list(self) -> list[str]:
        """Les noms des courriels, le plus récent d'abord."""
        return sorted((chemin.stem for chemin in self.dossier.glob("2*.eml")), reverse=True)

    def get(self, nom: str) -> EmailMessage:
        """
        Relit un courriel.

        :raises FileNotFoundError: s'il n'y est pas
        """
        return BytesParser(policy=policy.default).parsebytes((self.dossier / f"{nom}.eml").read_bytes())

    async def handle_DATA(self, _serveur: Any, _session: Any, enveloppe: Any) -> str:  # noqa: N802 — nom d'aiosmtpd
        """Appelé par aiosmtpd à l'arrivée d'un courriel."""
        self.add(enveloppe.content)
        return "250 Message accepte"


def render_page(titre: str, corps: str) -> bytes:
    """Une page entière ; `titre` est échappé ici, `corps` est du HTML déjà sûr."""
    return f"""<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(titre)} – Courriels de la démonstration</title>
<link rel="stylesheet" href="/courriels.css">
</head>
<body>
<header><p>Courriels de la démonstration : aucun n’est parti vers une vraie boîte.</p></header>
<main>
<h1>{html.escape(titre)}</h1>
{corps}
</main>
</body>
</html>
""".encode()


def render_list(boite: Boite) -> bytes:
    """La liste des courriels reçus, le plus récent d'abord."""
    lignes = [
        f'<li><a href="/messages/{nom}/">{_get(message, "Subject") or "(sans objet)"}</a>'
        f"<br>Pour {_get(message, 'To')}, {_format_date(nom)}</li>"
        for nom in boite.list()
        for message in [boite.get(nom)]
    ]
    liste = f"<ol>{''.join(lignes)}</ol>" if lignes else "<p>Aucun courriel pour l’instant.</p>"
    return render_page("Courriels reçus", f'{liste}<p><a href="/">Actualiser la liste</a></p>')


def render_message(nom: str, message: EmailMessage) -> bytes:
    """Un courriel : ses en-têtes, son texte, ses pièces jointes."""
    corps = message.get_body(preferencelist=("plain", "html"))
    pieces = [
        f'<li><a href="/messages/{nom}/pieces/{rang}/">{html.escape(piece.get_filename() or "pièce jointe")}</a></li>'
        for rang, piece in enumerate(message.iter_attachments())
    ]
    jointes = f"<h2>Pièces jointes</h2><ul>{''.join(pieces)}</ul>" if pieces else ""
    return render_page(
        str(message["Subject"] or "(sans objet)"),
        f"<dl><dt>De</dt><dd>{_get(message, 'From')}</dd><dt>Pour</dt><dd>{_get(message, 'To')}</dd>"
        f"<dt>Reçu</dt><dd>{_format_date(nom)}</dd></dl>"
        f"<pre>{html.escape(corps.get_content()) if corps else ''}</pre>{jointes}"
        '<p><a href="/">Revenir à la liste</a></p>',
    )


def _get(message: EmailMessage, entete: str) -> str:
    """Un en-tête, échappé : un courriel peut contenir n'importe quoi."""
    return html.escape(str(message[entete] or ""))


def _format_date(nom: str) -> str:
    recu = datetime.strptime(nom.partition("-")[0], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    return f"le {recu.astimezone(PARIS):%d/%m/%Y à %H:%M:%S}"


class Page(BaseHTTPRequestHandler):
    """Les pages de la boîte : liste, courriel, pièce jointe, santé."""

    boite: Boite
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Répond à une lecture ; tout ce qui n'existe pas est un 404."""
        try:
            contenu, genre, nom = self._find(self.path.partition("?")[0])
        except (LookupError, FileNotFoundError):
            introuvable = render_page("Page introuvable", '<p><a href="/">Revenir à la liste</a></p>')
            self._answer(404, introuvable, "text/html; charset=utf-8")
        else:
            self._answer(200, contenu, genre, nom)

    def _find(self, adresse: str) -> tuple[bytes, str, str]:
        """Contenu, type, et nom du fichier à télécharger s'il ne doit pas s'ouvrir dans la page."""
        pages: dict[str, Callable[[], tuple[bytes, str, str]]] = {
            "/": lambda: (render_list(self.boite), "text/html; charset=utf-8", ""),
            "/sante/": lambda: (b'{"etat": "pret"}', "application/json", ""),
            "/courriels.css": lambda: (STYLE.read_bytes(), "text/css; charset=utf-8", ""),
        }
        if adresse in pages:
            return pages[adresse]()
        if not (trouve := ADRESSE.fullmatch(adresse)):
            raise LookupError(adresse)
        message = self.boite.get(trouve["nom"])
        if trouve["piece"] is None:
            return render_message(trouve["nom"], message), "text/html; charset=utf-8", ""
        piece = list(message.iter_attachments())[int(trouve["piece"])]
        contenu = piece.get_payload(decode=True)
        if not isinstance(contenu, bytes):
            raise LookupError(adresse)
        if piece.get_content_type() == "application/pdf":
            return contenu, "application/pdf", ""
        return contenu, "application/octet-stream", "piece-jointe"

    def _answer(self, code: int, contenu: bytes, genre: str, telecharger: str = "") -> None:
        self.send_response(code)
        for nom, valeur in ENTETES.items():
            self.send_header(nom, valeur)
        if genre != "application/pdf":  # le lecteur de PDF du navigateur a besoin de ses propres styles
            self.send_header("Content-Security-Policy", POLITIQUE)
        self.send_header("Content-Type", genre)
        self.send_header("Content-Length", str(len(contenu)))
        if telecharger:
            self.send_header("Content-Disposition", f'attachment; filename="{telecharger}"')
        self.end_headers()
        self.wfile.write(contenu)

    def log_message(self, *_: object) -> None:
        """Rien au journal : les adresses demandées n'y servent pas."""


@contextmanager
def serve(smtp: int, port: int, dossier: Path) -> Iterator[Boite]:
    """Ouvre les deux écoutes sur la boucle locale, le temps du bloc."""
    boite = Boite(dossier)
    reception = Controller(boite, hostname="127.0.0.1", port=smtp)
    pages = ThreadingHTTPServer(("127.0.0.1", port), type("PageDeLaBoite", (Page,), {"boite": boite}))
    reception.start()
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    try:
        yield boite
    finally:
        pages.shutdown()
        pages.server_close()
        reception.stop()


def main() -> None:
    """Sert jusqu'à SIGTERM ou SIGINT."""
    analyseur = argparse.ArgumentParser(prog="python -m outils.courriels", description=__doc__)
    analyseur.add_argument("--smtp", type=int, required=True, help="port de réception SMTP")
    analyseur.add_argument("--port", type=int, required=True, help="port de la page")
    analyseur.add_argument("--dossier", type=Path, required=True, help="où garder les courriels")
    options = analyseur.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with serve(options.smtp, options.port, options.dossier):
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    sys.exit(0)


if __name__ == "__main__":
    main()
