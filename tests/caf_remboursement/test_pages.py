"""Les pages d'à côté : complètes, légères, sans rien que la CSP refuserait."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from comptes.models import Caf
from outils import reglages
from outils.traductions import extraire
from tests.factories import UtilisateurFactory

PAGES = ["accueil", "accessibilite", "donnees_personnelles", "mentions_legales", "aide", "plan"]
HTML_MAXIMUM = 12_000
PREMIERE_VISITE_MAXIMUM = 150_000


@pytest.fixture
def lire(client: Client):
    return lambda nom: client.get(reverse(f"pages:{nom}")).content.decode()


@pytest.mark.parametrize("nom", PAGES)
def test_une_page_se_lit_sans_compte_et_passe_la_csp(lire, nom: str) -> None:
    html = lire(nom)

    assert html.count("<h1>") == 1
    assert "Accessibilité\u00a0: non conforme" in html
    assert not re.search(r"\sstyle=|\son[a-z]+=|<script(?! src)", html)
    assert len(gzip.compress(html.encode())) <= HTML_MAXIMUM


def test_chaque_page_a_son_titre(lire) -> None:
    titres = {re.search("<title>(.+)</title>", lire(nom))[1] for nom in PAGES}

    assert len(titres) == len(PAGES)


def test_aucun_signe_double_ne_se_detache_de_son_mot() -> None:
    """Une espace ordinaire devant « : ; ? ! » ou dans des guillemets laisse le signe passer seul à la ligne."""
    fautes = [phrase for phrase in extraire() if re.search(r"« | [:;?!»](?=[\s.,<)]|$)", phrase)]
    gabarits = [f for motif in ("*.html", "*.txt") for f in Path("templates").rglob(motif)]
    for gabarit in (f for f in gabarits if "admin" not in f.parts):
        html = re.sub(r"{% comment %}.*?{% endcomment %}|{#.*?#}", "", gabarit.read_text(), flags=re.DOTALL)
        # Les attributs ne s'affichent pas ; les phrases confiées à un composant, si.
        texte = re.sub(r"{% (?!include).*?%}|<[a-z/][^>]*>", "", html)
        fautes += [f"{gabarit} : {faute}" for faute in re.findall(r".{0,20} [:;?!»](?=\s|$|[<\"])", texte, flags=re.M)]

    assert fautes == []


def test_la_premiere_visite_reste_legere() -> None:
    fichiers = [f for motif in ("css/*", "js/*", "polices/*.woff2") for f in Path("static").glob(motif)]

    assert len(fichiers) >= 5
    assert sum(f.stat().st_size for f in fichiers) <= PREMIERE_VISITE_MAXIMUM


def test_les_mentions_affichees_sont_celles_de_la_version_reglee(lire) -> None:
    assert f"Version {settings.MENTIONS_VERSION}." in lire("donnees_personnelles")


def test_une_adresse_inconnue_recoit_une_page_du_service(client: Client) -> None:
    reponse = client.get("/rien-ici/")

    assert reponse.status_code == 404
    assert "Cette page n’existe pas" in reponse.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("adresse", ["/mon-compte/dettes/%00/", "/paiements/%00/ticket.pdf", "/connexion/?next=%00"])
def test_un_octet_nul_dans_l_adresse_est_refuse_en_francais(client: Client, adresse: str) -> None:
    client.force_login(UtilisateurFactory())

    reponse = client.get(adresse)

    assert reponse.status_code == 400
    assert "Nous n’avons pas compris cette demande" in reponse.content.decode()


def test_un_hote_inconnu_recoit_une_page_en_francais(client: Client) -> None:
    reponse = client.get("/", headers={"host": "ailleurs.example"})

    assert reponse.status_code == 400
    assert '<html lang="fr">' in reponse.content.decode()


def test_la_page_de_panne_se_rend_sans_contexte() -> None:
    html = render_to_string("500.html")

    assert "Ne repayez pas tout de suite" in html
    assert 'href="/static/css/caf.css"' in html


@pytest.mark.parametrize(
    ("adresse", "arrivee"),
    [("/favicon.ico", "/static/img/favicon.ico"), ("/.well-known/change-password", "/compte/mot-de-passe/")],
)
def test_les_adresses_convenues_menent_ou_il_faut(client: Client, adresse: str, arrivee: str) -> None:
    assert client.get(adresse).url == arrivee


def test_les_robots_ne_lisent_pas_les_comptes(client: Client) -> None:
    reponse = client.get("/robots.txt")

    assert reponse["Content-Type"].startswith("text/plain")
    assert "Disallow: /mon-compte/" in reponse.content.decode()


def test_la_galerie_n_est_pas_du_service(client: Client) -> None:
    assert client.get("/composants/").status_code == 404


def test_la_suspension_dit_pourquoi_et_jusqu_a_quand() -> None:
    caf = Caf(nom="Caf de la Creuse", message_suspension="Nous vérifions nos comptes.")

    html = render_to_string("pages/suspension.html", {"caf": caf})

    assert "Nous vérifions nos comptes." in html
    assert "La date du retour n’est pas encore connue." in html


def test_tous_les_composants_se_rendent_dans_tous_leurs_etats(client: Client, settings) -> None:
    """Une variable absente ferait échouer le rendu : les contrats sont tenus."""
    settings.ROOT_URLCONF, settings.TEMPLATES = reglages.ROOT_URLCONF, reglages.TEMPLATES

    html = client.get("/composants/").content.decode()

    for mot in ["En recours", "Transmise au département", "Soldée", "Annulée par la banque", "35\u00a0906,87\u00a0€"]:
        assert mot in html
    assert not re.search(r"\sstyle=|\son[a-z]+=|<script(?! src)", html)
