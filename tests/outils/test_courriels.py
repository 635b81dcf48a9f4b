"""La page où la démonstration montre les courriels qu'elle a attrapés."""

import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from outils import courriels
from tests.ports import tirer_des_ports


class Courriels:
    """Une boîte qui écoute, et de quoi lui écrire et la lire."""

    def __init__(self, smtp: int, port: int, boite: courriels.Boite) -> None:
        self.smtp, self.port, self.boite = smtp, port, boite

    def send(self, objet: str, texte: str, piece: tuple[str, str, bytes] | None = None) -> None:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = objet, "caf@caf.invalid", "ines@exemple.fr"
        message.set_content(texte)
        if piece:
            nom, genre, contenu = piece
            message.add_attachment(contenu, maintype="application", subtype=genre, filename=nom)
        with smtplib.SMTP("127.0.0.1", self.smtp) as serveur:
            serveur.send_message(message)

    def read(self, adresse: str) -> tuple[bytes, dict[str, str]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{adresse}") as reponse:
            return reponse.read(), dict(reponse.headers)


@pytest.fixture
def boite(tmp_path: Path) -> Iterator[Courriels]:
    smtp, port = tirer_des_ports(2)
    with courriels.serve(smtp, port, tmp_path / "courriels") as boite:
        yield Courriels(smtp, port, boite)


def test_un_courriel_recu_est_dans_la_liste_et_se_lit(boite: Courriels) -> None:
    boite.send("Votre ticket de paiement", "Bonjour,\nvoici votre reçu à garder.")

    liste = boite.read("/")[0].decode()
    message = boite.read(f"/messages/{boite.boite.list()[0]}/")[0].decode()

    assert "Votre ticket de paiement" in liste
    assert "ines@exemple.fr" in liste
    assert "voici votre reçu à garder." in message


def test_le_plus_recent_vient_d_abord(boite: Courriels) -> None:
    boite.send("Premier", "1")
    boite.send("Second", "2")

    liste = boite.read("/")[0].decode()

    assert liste.index("Second") < liste.index("Premier")


def test_un_courriel_hostile_ne_devient_pas_du_html(boite: Courriels) -> None:
    boite.send("<script>alert(1)</script>", "<img src=x onerror=alert(2)>", ('"><b>.bin', "zip", b"x"))

    liste, entetes = boite.read("/")
    message = boite.read(f"/messages/{boite.boite.list()[0]}/")[0]

    for page in (liste, message):
        assert not any(balise in page for balise in (b"<script", b"<img", b"<b>"))
        assert b"&lt;script&gt;" in page
    assert "default-src 'none'" in entetes["Content-Security-Policy"]


def test_un_ticket_joint_s_ouvre_comme_un_pdf(boite: Courriels) -> None:
    boite.send("Ticket", "Voir la pièce jointe.", ("ticket.pdf", "pdf", b"%PDF-1.7 essai"))
    nom = boite.boite.list()[0]

    contenu, entetes = boite.read(f"/messages/{nom}/pieces/0/")

    assert contenu == b"%PDF-1.7 essai"
    assert entetes["Content-Type"] == "application/pdf"
    assert "ticket.pdf" in boite.read(f"/messages/{nom}/")[0].decode()


def test_une_piece_d_un_autre_genre_se_telecharge_sans_s_ouvrir(boite: Courriels) -> None:
    boite.send("Pièce", "Voir la pièce jointe.", ("page.html", "xhtml+xml", b"<script>alert(1)</script>"))

    _, entetes = boite.read(f"/messages/{boite.boite.list()[0]}/pieces/0/")

    assert entetes["Content-Type"] == "application/octet-stream"
    assert entetes["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "adresse",
    ["/messages/../../../etc/passwd/", "/messages/20260101T000000.000000-00000000/", "/messages/", "/ailleurs"],
)
def test_ce_qui_n_est_pas_dans_la_boite_n_existe_pas(boite: Courriels, adresse: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refus:
        boite.read(adresse)

    assert refus.value.code == 404
    refus.value.close()


def test_la_page_dit_qu_elle_repond(boite: Courriels) -> None:
    assert boite.read("/sante/")[0] == b'{"etat": "pret"}'
