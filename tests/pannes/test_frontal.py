"""Affamer le service : le nginx et les gunicorn de deploiement/ devant qui ne finit pas, ou se presse trop."""

import os
import re
import select
import shlex
import signal
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.db import connection

from outils.preparation import _is_collected
from outils.processus import Equipe
from outils.systeme import RACINE, wait_until
from paiements.models import MessagePayzen, Paiement
from paiements.payzen import sign, to_centimes
from tests.factories import PaiementFactory
from tests.ports import tirer_des_ports

PROGRAMME = Path("/usr/sbin/nginx")
NOM = "rembourser.caf.example"
NOTIFICATION = "/paiements/payzen/notification"
BANQUE, LENT, PRESSE, VOISIN = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"
LENTS = 100
RAFALE = 150
PATIENCE = 120  # secondes : ne borne qu'un échec
MOINS_QUE_LA_MINUTE_DE_NGINX = 45  # secondes : celle qu'il donne, sans réglage, à qui n'a pas fini

pytestmark = [
    pytest.mark.skipif(not PROGRAMME.exists(), reason="sans nginx : sudo apt-get install nginx-light"),
    pytest.mark.django_db(transaction=True),
]


class Frontal:
    """nginx, un gunicorn du site et un de la notification, comme deploiement/ les lance, sur la base des tests."""

    def __init__(self, dossier: Path, attente: str) -> None:
        self.dossier, self.attente = dossier, attente
        self.port, self.port_en_clair = tirer_des_ports(2)
        base = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
        reglages = {
            "DATABASE_URL": base.geturl(),
            "ADRESSE_PUBLIQUE": f"https://{NOM}",
            "ALLOWED_HOSTS": NOM,
            "HTTPS": "true",
            "SERVEURS_FRONTAUX": "1",
            "EMAIL_URL": "dummymail://",
        }
        self.equipe = Equipe(dossier / "journaux", os.environ | reglages, RACINE)

    def demarrer(self) -> None:
        """Chaque gunicorn par la ligne de son unité, puis nginx par sa configuration."""
        if not _is_collected(Path(settings.STATIC_ROOT)):
            collecter = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
            assert self.equipe.run("statiques", collecter), self.raconter()
        for nom in ("site", "notification"):
            self.equipe.start(nom, self._lire_l_unite(nom))
        cles = ["-keyout", self.dossier / "cle.pem", "-out", self.dossier / "certificat.pem"]
        certifier = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NOM}", *cles]
        assert self.equipe.run("certificat", certifier), self.raconter()
        racine = self.dossier / "nginx.conf"
        compte = "user root;" if os.geteuid() == 0 else ""
        general = f"{compte} daemon off; pid {self.dossier}/pid; events {{ worker_connections 768; }}"
        racine.write_text(f"{general} http {{ include {self._ecrire_la_configuration()}; }}")
        self.equipe.start("nginx", [PROGRAMME, "-c", racine, "-e", self.dossier / "erreurs"])
        for chemin in ("/sante/", "/connexion/"):
            assert wait_until(lambda chemin=chemin: self.lire(chemin) == 200, PATIENCE), self.raconter()

    def _lire_l_unite(self, nom: str) -> list[str]:
        unite = (RACINE / f"deploiement/systemd/rembourser-{nom}@.service").read_text()
        commande = shlex.split(re.search(r"^ExecStart=(.*)$", unite, re.MULTILINE).group(1))
        assert commande.pop(0).endswith("/gunicorn")
        return [sys.executable, "-m", "gunicorn", *(self._placer(mot).replace("%i", "1") for mot in commande)]

    def _placer(self, texte: str) -> str:
        return texte.replace("/run/rembourser", str(self.dossier))

    def _ecrire_la_configuration(self) -> Path:
        """Celle de deploiement/ : ne changent que les lieux, les ports, l'attente ; un gunicorn de chaque suffit."""
        for fichier in ("rembourser.conf", "rembourser_proxy.conf"):
            # Les ports d'abord : le dossier, qui vient ensuite, peut porter « 443 ».
            texte = (RACINE / "deploiement/nginx" / fichier).read_text().replace("443", str(self.port))
            texte = self._placer(texte.replace("listen 80 ", f"listen {self.port_en_clair} "))
            texte = texte.replace("/etc/nginx/", f"{self.dossier}/").replace("/etc/rembourser/tls", str(self.dossier))
            texte = texte.replace("/var/log/nginx", str(self.dossier))
            texte = re.sub(r"^ *server unix:.*-2\.sock.*\n", "", texte, flags=re.MULTILINE)
            texte, fois = re.subn(r"(client_(header|body)_timeout) 10s", rf"\1 {self.attente}", texte)
            assert fois == (2 if fichier == "rembourser.conf" else 0)
            (self.dossier / fichier).write_text(texte)
        return self.dossier / "rembourser.conf"

    def raconter(self) -> str:
        """Tous les journaux."""
        fichiers = [*(self.dossier / "journaux").iterdir(), self.dossier / "erreurs"]
        return "\n".join(f"--- {fichier.name}\n{fichier.read_text()}" for fichier in fichiers if fichier.exists())

    def preparer_des_connexions(self, combien: int) -> list[bytes]:
        """Autant d'envois entiers à la page de connexion, chacun d'un autre compte, avec un jeton qui vaut."""
        with self.ouvrir(PRESSE) as prise:
            prise.sendall(demander("/connexion/"))
            page = prise.makefile("rb").read().decode()
        cookie = re.search(r"__Host-csrftoken=(\w+)", page).group(1)
        plus = f"Cookie: __Host-csrftoken={cookie}\r\nReferer: https://{NOM}/connexion/\r\n\r\n".encode()
        corps = [
            urlencode({"csrfmiddlewaretoken": cookie, "login": f"661{rang:07d}", "password": "faux"}).encode()
            for rang in range(combien)
        ]
        return [rediger("/connexion/", len(c)).removesuffix(b"\r\n") + plus + c for c in corps]

    # --- Parler

    def ouvrir(self, adresse: str) -> ssl.SSLSocket:
        """Une connexion TLS, vue de nginx comme venant de `adresse`."""
        contexte = ssl.create_default_context(cafile=self.dossier / "certificat.pem")
        prise = socket.create_connection(("127.0.0.1", self.port), PATIENCE, source_address=(adresse, 0))
        return contexte.wrap_socket(prise, server_hostname=NOM)

    def lire(self, chemin: str, adresse: str = VOISIN) -> int:
        """Le code que reçoit un GET ; 0 si personne ne répond."""
        try:
            with self.ouvrir(adresse) as prise:
                prise.sendall(demander(chemin))
                return lire_le_code(prise)
        except OSError:
            return 0

    def notifier(self, paiement: Paiement, chemin: str = NOTIFICATION) -> int:
        """Le code que reçoit une notification signée."""
        corps = signer(paiement)
        with self.ouvrir(BANQUE) as prise:
            prise.sendall(rediger(chemin, len(corps)) + corps)
            return lire_le_code(prise)


def demander(chemin: str) -> bytes:
    """Un GET entier."""
    return f"GET {chemin} HTTP/1.1\r\nHost: {NOM}\r\nConnection: close\r\n\r\n".encode()


def rediger(chemin: str, longueur: int) -> bytes:
    """L'en-tête d'un envoi de formulaire."""
    lignes = (f"POST {chemin} HTTP/1.1", f"Host: {NOM}", "Connection: close", f"Content-Length: {longueur}")
    return "\r\n".join((*lignes, "Content-Type: application/x-www-form-urlencoded", "", "")).encode()


def lire_le_code(prise: ssl.SSLSocket) -> int:
    return int((prise.recv(4096).split(b" ", 2)[1:2] or [b"0"])[0])


def signer(paiement: Paiement) -> bytes:
    """Un accord authentique pour ce paiement."""
    quand = paiement.cree_le.strftime("%Y%m%d%H%M%S")
    champs = {
        "vads_site_id": paiement.boutique,
        "vads_ctx_mode": paiement.mode,
        "vads_order_id": paiement.reference,
        "vads_trans_id": paiement.trans_id,
        "vads_trans_date": quand,
        "vads_trans_status": "AUTHORISED",
        "vads_trans_uuid": f"{paiement.pk:032x}",
        "vads_operation_type": "DEBIT",
        "vads_amount": str(to_centimes(paiement.montant)),
        "vads_currency": "978",
        "vads_url_check_src": "PAY",
    }
    return urlencode(champs | {"signature": sign(champs, settings.PAYZEN_BOUTIQUES[paiement.boutique].cle)}).encode()


ENTETE_A_MOITIE = rediger("/connexion/", 1000)[:60]
CORPS_A_MOITIE = rediger("/connexion/", 1000) + b"login="


@pytest.fixture
def paiements() -> list[Paiement]:
    return [PaiementFactory(montant=Decimal(1)) for _ in range(20)]


@pytest.fixture(scope="module")
def frontal(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, django_db_setup: None
) -> Iterator[Frontal]:
    frontal = Frontal(tmp_path_factory.mktemp("frontal"), request.param)
    try:
        frontal.demarrer()
        yield frontal
    finally:
        frontal.equipe.stop()


@pytest.fixture
def ouvrir(frontal: Frontal) -> Iterator[Callable[..., list[ssl.SSLSocket]]]:
    """Des connexions qui ont dit quelque chose, et se taisent : `ouvrir(adresse, [ce que dit chacune])`."""
    with ExitStack() as pile:

        def commencer(adresse: str, morceaux: list[bytes]) -> list[ssl.SSLSocket]:
            prises = [pile.enter_context(frontal.ouvrir(adresse)) for _ in morceaux]
            for prise, morceau in zip(prises, morceaux, strict=True):
                prise.sendall(morceau)
            return prises

        yield commencer


def compter_les_muettes(prises: list[ssl.SSLSocket]) -> int:
    """Celles à qui rien n'a été répondu, et que rien n'a fermées."""
    return len(prises) - len(select.select(prises, [], [], 0)[0])


@pytest.mark.parametrize("frontal", ["600s"], indirect=True)
@pytest.mark.parametrize(
    "morceau",
    [ENTETE_A_MOITIE, CORPS_A_MOITIE, rediger(NOTIFICATION, 1000) + b"vads_"],
    ids=["entete", "corps", "notification"],
)
def test_cent_envois_a_moitie_faits_n_arretent_ni_la_banque_ni_les_autres(frontal, ouvrir, paiements, morceau):
    prises = ouvrir(LENT, [morceau] * LENTS)

    assert [frontal.notifier(paiement) for paiement in paiements] == [200] * len(paiements)
    assert frontal.lire("/connexion/") == 200

    # Le corps attend au plus quarante fois par adresse ; les autres n'ont que l'en-tête, ou parlent à la banque.
    assert compter_les_muettes(prises) >= 40
    assert MessagePayzen.objects.count() == len(paiements)


@pytest.mark.parametrize("frontal", ["600s"], indirect=True)
def test_le_site_fige_la_banque_et_les_sondes_passent(frontal, paiements):
    site = frontal.equipe.processus["site"].pid
    os.killpg(site, signal.SIGSTOP)
    try:
        assert [frontal.notifier(paiements[0], chemin) for chemin in (NOTIFICATION, f"{NOTIFICATION}/")] == [200, 200]
        assert frontal.lire("/sante/") == 200
    finally:
        os.killpg(site, signal.SIGCONT)


@pytest.mark.parametrize("frontal", ["600s"], indirect=True)
def test_les_sondes_d_une_adresse_sont_bornees(frontal, ouvrir, paiements):
    """Elles lisent la base, là où la banque est reçue."""
    codes = Counter(lire_le_code(prise) for prise in ouvrir(PRESSE, [demander("/sante/pret/")] * RAFALE))

    assert codes[429] > codes[503] > 0
    assert frontal.notifier(paiements[0]) == 200


@pytest.mark.parametrize("frontal", ["1s"], indirect=True)
def test_un_envoi_qui_ne_finit_pas_est_coupe(frontal, ouvrir):
    prises = ouvrir(LENT, [ENTETE_A_MOITIE] * LENTS + [CORPS_A_MOITIE] * LENTS)

    assert wait_until(lambda: compter_les_muettes(prises) == 0, MOINS_QUE_LA_MINUTE_DE_NGINX)


@pytest.mark.parametrize("frontal", ["600s"], indirect=True)
def test_une_rafale_de_connexions_est_bornee_et_la_banque_passe(frontal, ouvrir, paiements):
    """Chaque mot de passe lu coûte un quart de seconde de processeur : c'est le site qui peine, et lui seul."""
    prises = ouvrir(PRESSE, frontal.preparer_des_connexions(RAFALE))

    assert [frontal.notifier(paiement) for paiement in paiements] == [200] * len(paiements)
    en_cours = compter_les_muettes(prises)
    codes = Counter(lire_le_code(prise) for prise in prises)

    assert en_cours > 0, "la rafale était finie avant la banque : elle n'a rien prouvé"
    assert RAFALE - codes[429] <= 80
