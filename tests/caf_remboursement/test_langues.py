"""Lire le service en anglais : on le choisit, c'est gardé, et il n'y reste pas un mot de français."""

from decimal import Decimal

import pytest
import responses
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.caf_remboursement.acces import Monde, lister_les_demandes
from tests.connexion import entrer, entrer_en_agent
from tests.factories import AgentFactory, DemarcheFactory, DetteFactory, UtilisateurFactory
from tests.langues import lire_en_anglais, relever_le_francais

pytestmark = pytest.mark.django_db
# Ils ne parlent pas à l'allocataire.
AILLEURS = ("/agents/", "/sante/", "/paiements/payzen/")


def choisir(client: Client, code: str, page: str = "/aide/"):
    return client.post(reverse("pages:langue"), {"language": code, "next": page})


def test_on_choisit_sa_langue_d_un_bouton_et_elle_reste(client: Client) -> None:
    assert "English" in client.get("/aide/").content.decode()

    reponse = choisir(client, "en")

    assert (reponse.status_code, reponse["Location"]) == (302, "/aide/")
    page = client.get("/connexion/").content.decode()
    assert '<html lang="en">' in page
    assert "<h1>Sign in</h1>" in page
    assert "Français" in page


def test_on_revient_au_francais(client: Client) -> None:
    choisir(client, "en")
    choisir(client, "fr")

    assert "<h1>Aide</h1>" in client.get("/aide/").content.decode()


def test_le_navigateur_ne_choisit_pas_a_la_place_du_lecteur(client: Client) -> None:
    page = client.get("/aide/", headers={"accept-language": "en-GB,en;q=0.9"}).content.decode()

    assert '<html lang="fr">' in page


@pytest.mark.parametrize("code", ["qaa", "", "en\r\nx", "../en"])
def test_une_langue_que_l_on_n_a_pas_ne_change_rien(client: Client, code: str) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = code.replace("\r\n", "")
    choisir(client, code)

    assert '<html lang="fr">' in client.get("/aide/").content.decode()


def test_le_choix_ne_mene_pas_ailleurs(client: Client) -> None:
    assert choisir(client, "en", "https://faux.example/")["Location"] == "/"


def test_le_cadre_d_une_langue_ne_sert_pas_a_l_autre(client: Client) -> None:
    """L'en-tête et le pied se composent une fois par processus (ADR 0056), et une fois par langue."""
    for code, mot in (("fr", "Pied de page"), ("en", "Footer"), ("fr", "Pied de page")):
        choisir(client, code)
        assert mot in client.get("/aide/").content.decode()


def test_le_bureau_reste_en_francais(client: Client) -> None:
    entrer_en_agent(client, AgentFactory().utilisateur)
    lire_en_anglais(client)

    page = client.get("/agents/").content.decode()

    assert '<html lang="fr">' in page.replace('lang="fr" dir="ltr"', 'lang="fr"')
    assert "English" not in page


def test_les_montants_et_les_jours_s_ecrivent_comme_un_lecteur_anglais_les_ecrit(client: Client) -> None:
    personne = UtilisateurFactory()
    dette = DetteFactory(allocataire=personne.allocataire, montant_initial="1234.50")
    entrer(client, personne.identifiant)
    lire_en_anglais(client)

    liste = client.get(reverse("dettes:liste")).content.decode()
    detail = client.get(reverse("dettes:detail", args=[dette.reference])).content.decode()

    assert "€1,234.50" in liste
    assert f"of {dette.notifiee_le.day} {dette.notifiee_le:%B %Y}" in detail


def test_une_dette_que_la_caf_nomme_elle_meme_se_lit_en_anglais(client: Client) -> None:
    personne = UtilisateurFactory()
    dette = DetteFactory(allocataire=personne.allocataire, nature="AUTRE", libelle="Trop-perçu : prime de Noël")
    demarche = DemarcheFactory(auteur=personne, lignes={dette: Decimal(10)})
    entrer(client, personne.identifiant)
    lire_en_anglais(client)

    detail = client.get(reverse("dettes:detail", args=[dette.reference])).content.decode()
    pages = [reverse("dettes:liste"), reverse("suivi:detail", args=[demarche.reference])]
    pages += [reverse(f"demarches:{etape}", args=[demarche.reference]) for etape in ("montants", "recapitulatif")]

    assert '<dd lang="fr">Trop-perçu : prime de Noël</dd>' in detail
    for page in [detail, *(client.get(adresse).content.decode() for adresse in pages)]:
        assert "Other benefit" in page
        assert relever_le_francais(page) == []


@pytest.mark.parametrize("role", ["anonyme", "soi", "radié", "nu"])
def test_aucune_page_n_a_un_mot_de_francais(client: Client, role: str) -> None:
    monde = Monde()
    monde.entrer(client, role)
    client.raise_request_exception = False
    lire_en_anglais(client)
    biscuits = client.cookies.output()
    fautes: dict[str, list[str]] = {}
    lues = 0
    for methode, chemin in lister_les_demandes():
        if chemin.startswith(AILLEURS):
            continue
        cache.clear()
        client.cookies.load(biscuits.replace("Set-Cookie: ", ""))
        with transaction.atomic(), responses.RequestsMock(assert_all_requests_are_fired=False):
            reponse = client.generic(methode, monde.get_adresse(chemin))
            transaction.set_rollback(True)
        if reponse.headers.get("Content-Type", "").startswith("text/html") and not reponse.streaming:
            html = reponse.content.decode()
            lues += bool(html)
            if html and (francais := relever_le_francais(html) or ([] if '<html lang="en">' in html else ["lang"])):
                fautes[f"{methode} {chemin}"] = francais

    assert fautes == {}
    assert lues > 10
