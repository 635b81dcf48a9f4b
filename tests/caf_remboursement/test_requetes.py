"""Aucune requête, si tordue soit-elle, ne reçoit une page nue : nos en-têtes toujours, et une ligne au journal."""

import io
import itertools
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import Client, RequestFactory
from django.utils import timezone

from caf_remboursement.filet import Filet
from caf_remboursement.journaux import build_formatter
from caf_remboursement.wsgi import application
from tests.connexion import entrer
from tests.factories import UtilisateurFactory
from tests.paiements.conftest import couper_la_base

pytestmark = pytest.mark.django_db

FORMULAIRE = "application/x-www-form-urlencoded"
MORCEAUX = b"--x\r\nContent-Disposition: form-data; name=\"a\"; filename*=%s''b\r\n\r\nc\r\n--x--\r\n"
TYPES = [
    *(f"{FORMULAIRE}; charset={nom}" for nom in ("latin-1", "utf-16", "utf-7", "idna", "rot13", "hex", "inconnu")),
    *(f"text/html; charset={nom}" for nom in ("punycode", "zip", '"utf-8"; charset=bz2')),
    *("text/plain; charset*=inconnu''a", "text/plain; charset*=rot13''a", "multipart/form-data; charset*0=a"),
    *("multipart/form-data", "multipart/form-data; boundary=é", ";;;", 'a/b; =;="', "application/json"),
]
ADRESSES = ["/", "/connexion/", "/sante/", "/agents/", "/paiements/payzen/notification", "/rien-ici/"]
ENTETES = ["Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"]


@pytest.fixture(autouse=True)
def transaction_gardee() -> Iterator[None]:
    """Une requête fermerait la connexion du test, dont la transaction n'est pas finie."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def demander(methode: str = "GET", adresse: str = "/", corps: bytes = b"", appli: Any = application, **entetes: str):
    """Ce que répond l'application à gunicorn : le code et les en-têtes."""
    chemin, _, question = adresse.partition("?")
    environ = RequestFactory()._base_environ(
        REQUEST_METHOD=methode, PATH_INFO=chemin, QUERY_STRING=question, CONTENT_LENGTH=str(len(corps)), **entetes
    )
    dit: list[Any] = []
    reponse = appli(environ | {"wsgi.input": io.BytesIO(corps)}, lambda statut, tetes: dit.extend([statut, tetes]))
    b"".join(reponse)
    return int(dit[0].split()[0]), dict(dit[1])


@pytest.mark.parametrize("type_", TYPES)
def test_un_type_de_contenu_tordu_ne_fait_aucune_panne(type_: str) -> None:
    corps = MORCEAUX % b"rot13" if "boundary" in type_ else b"login=a&password=b"

    for methode, adresse in itertools.product(["GET", "POST", "PUT"], ADRESSES):
        code, entetes = demander(methode, f"{adresse}?next=/", corps, CONTENT_TYPE=type_, HTTP_COOKIE="csrftoken=a")

        assert code < 500, (methode, adresse)
        assert all(entetes.get(nom) for nom in ENTETES), (methode, adresse)


@pytest.mark.parametrize("encodage", [b"rot13", b"inconnu", b"utf-16", b"\xff"])
def test_un_nom_de_fichier_mal_code_ne_fait_aucune_panne(encodage: bytes) -> None:
    code, _ = demander("POST", "/connexion/", MORCEAUX % encodage, CONTENT_TYPE="multipart/form-data; boundary=x")

    assert code in (400, 403)


@pytest.mark.parametrize(
    "cookie",
    ['session="\\000aaaaaaaaaaaa"', "session=" + "a" * 4000, 'csrftoken="\\000"', "messages=x", "=;=;session"],
)
@pytest.mark.parametrize("adresse", ["/", "/mon-compte/", "/agents/"])
def test_un_cookie_tordu_ne_fait_aucune_panne(adresse: str, cookie: str) -> None:
    assert demander("GET", adresse, HTTP_COOKIE=cookie)[0] < 500


@pytest.mark.parametrize("question", ["q=%00", "q=\0", "q=du%00bois&p=1", "%00"])
@pytest.mark.parametrize("adresse", ["/", "/mon-compte/", "/agents/comptes/allocataire/"])
def test_un_octet_nul_dans_la_question_se_refuse(adresse: str, question: str) -> None:
    assert demander("GET", f"{adresse}?{question}")[0] == 400


@pytest.mark.parametrize("hote", ["ailleurs.example", "a b", "[::", "testserver:abc", "é"])
def test_un_hote_tordu_ne_fait_aucune_panne(hote: str) -> None:
    code, entetes = demander("GET", "/", HTTP_HOST=hote)

    assert code == 400
    assert "default-src 'none'" in entetes["Content-Security-Policy"]


def test_un_jeu_de_caracteres_etranger_se_refuse() -> None:
    assert demander(CONTENT_TYPE="text/html; charset=latin-1")[0] == 400
    assert demander(CONTENT_TYPE="text/html; charset=UTF-8")[0] == 200


def test_une_panne_hors_de_django_a_sa_page_et_sa_ligne(caplog: pytest.LogCaptureFixture) -> None:
    def casser(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("cassé")

    with caplog.at_level(logging.ERROR):
        code, entetes = demander("GET", "/mon-compte/?secret=1", appli=Filet(casser))

    assert code == 500
    assert all(entetes.get(nom) for nom in ENTETES)
    lignes = [build_formatter().format(ligne).splitlines() for ligne in caplog.records]
    assert [len(ligne) for ligne in lignes] == [1]
    assert json.loads(lignes[0][0])["adresse"] == "/mon-compte/"


@pytest.mark.parametrize(
    ("choisie", "titre"),
    [("", "Le service est en panne"), ("en", "The service is not working"), ("../x", "Le service est en panne")],
)
def test_une_panne_hors_de_django_se_dit_dans_la_langue_de_qui_lit(choisie: str, titre: str) -> None:
    def casser(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("cassé")

    environ = RequestFactory()._base_environ(HTTP_COOKIE=f"{settings.LANGUAGE_COOKIE_NAME}={choisie}")
    page = b"".join(Filet(casser)(environ, lambda *_: None)).decode()

    assert titre in page


def test_une_panne_d_une_vue_a_sa_page_et_nos_en_tetes() -> None:
    def casser(**_: object) -> None:
        raise RuntimeError("la base est tombée")

    with connection.execute_wrapper(lambda *_: casser()):
        code, entetes = demander("GET", "/agents/", HTTP_COOKIE="session=aaaaaaaaaaaaaaaa")

    assert code == 500
    assert all(entetes.get(nom) for nom in [*ENTETES, "Permissions-Policy", "Cross-Origin-Resource-Policy"])


def test_une_base_qui_ne_repond_pas_se_reessaie() -> None:
    with connection.execute_wrapper(couper_la_base):
        code, entetes = demander("GET", "/agents/", HTTP_COOKIE="session=aaaaaaaaaaaaaaaa")

    assert (code, entetes["Retry-After"]) == (503, "30")
    assert all(entetes.get(nom) for nom in ENTETES)


def test_une_session_que_la_base_n_a_pu_ecrire_se_reessaie(time_machine: Any) -> None:
    """Django en ferait une demande refusée, « cette session n'existe plus » : c'est la base qui manque."""
    personne = Client(raise_request_exception=False)
    entrer(personne, UtilisateurFactory().identifiant)
    time_machine.move_to(timezone.now() + timedelta(minutes=1))

    def couper(execute: Any, sql: str, params: Any, many: Any, contexte: Any) -> Any:
        if sql.startswith('UPDATE "django_session"'):
            couper_la_base(execute, sql, params, many, contexte)
        return execute(sql, params, many, contexte)

    with connection.execute_wrapper(couper):
        page = personne.get("/mon-compte/")

    assert (page.status_code, page["Retry-After"]) == (503, "30")
