"""
FranceConnect, contre un vrai fournisseur OpenID Connect : un programme de PyPI, dans son processus.

Nous jouons le navigateur : nous suivons nos redirections et remplissons sa page, comme le ferait la personne.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.cache import cache
from django.core.exceptions import SuspiciousOperation
from django.test import Client
from django.urls import reverse

from comptes import identite
from comptes.franceconnect import Plateforme
from comptes.models import Evenement, Utilisateur
from tests.comptes import fournisseur
from tests.comptes.fournisseur import ANNE, CLE, s_identifier
from tests.connexion import donner_le_code, entrer, entrer_en_agent, poser_un_totp
from tests.factories import AgentFactory, AllocataireFactory, CafFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db

RETOUR = "/franceconnect/retour/"


@pytest.fixture(scope="module")
def emetteur() -> Iterator[str]:
    yield from fournisseur.lancer()


@pytest.fixture(autouse=True)
def allume(settings, emetteur) -> None:
    cache.clear()
    settings.FRANCECONNECT_EMETTEUR = emetteur
    settings.FRANCECONNECT_CLE = CLE
    settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = "service", "secret"
    settings.OIDC_RP_SIGN_ALGO = "RS256"
    settings.OIDC_VERIFY_KID = False  # il n'a qu'une clé, et ne la nomme pas
    # Ce fournisseur-là ne connaît que les groupes de données de la norme.
    settings.OIDC_RP_SCOPES = "openid profile"


def rattacher(**champs) -> Utilisateur:
    """Un compte dont le dossier porte l'identité d'Anne, comme le dit le fichier de la Caf."""
    return UtilisateurFactory(allocataire=AllocataireFactory(identite=identite.calculer(ANNE, CLE), **champs))


def partir(client: Client, suite: str = "") -> str:
    reponse = client.get(reverse("comptes:franceconnect"), {"next": suite} if suite else {})
    assert reponse.status_code == 302
    return reponse.url


def passer(client: Client, qui: str = "anne", suite: str = ""):
    return client.get(s_identifier(partir(client, suite), qui))


def test_une_identite_rattachee_ouvre_son_dossier_et_va_ou_l_on_allait(client):
    soi = rattacher()

    arrivee = passer(client, suite="/mon-compte/dettes/")

    assert arrivee.url == "/mon-compte/dettes/"
    assert client.get("/mon-compte/").context["allocataire"] == soi.allocataire
    assert Evenement.objects.filter(genre="CONNEXION", compte=soi).count() == 1


def test_rien_de_l_identite_recue_ne_reste(client, caplog):
    rattacher(nom="Autre")

    passer(client)

    garde = json.dumps({cle: valeur for cle, valeur in client.session.items() if cle != "franceconnect_jeton"})
    # La date entière : une empreinte de la session peut porter « 1954 » par hasard.
    for donnee in ("Durand", "1954-03-12", "12/03/1954", "19540312", "12 mars 1954"):
        assert donnee not in garde + caplog.text


def test_la_demande_a_son_etat_son_nonce_et_sa_preuve_pkce(client, monkeypatch):
    rattacher()
    depart = parse_qs(urlsplit(adresse := partir(client)).query)
    envoyes = []
    envoyer = requests.Session.send
    monkeypatch.setattr(requests.Session, "send", lambda s, r, **k: envoyes.append(r) or envoyer(s, r, **k))

    client.get(s_identifier(adresse))

    (jeton,) = [parse_qs(demande.body) for demande in envoyes if demande.url.endswith("/oauth2/token")]
    preuve = hashlib.sha256(jeton["code_verifier"][0].encode()).digest()
    assert depart["code_challenge"] == [base64.urlsafe_b64encode(preuve).decode().rstrip("=")]
    assert depart["code_challenge_method"] == ["S256"]
    assert len(depart["state"][0]) == len(depart["nonce"][0]) == 32
    assert depart["acr_values"] == ["eidas1"]


def test_un_retour_ne_sert_qu_une_fois_et_qu_a_sa_session(client):
    rattacher()
    retour = s_identifier(partir(client))

    assert Client().get(retour).status_code == 400
    assert client.get(retour).status_code == 302
    assert client.get(retour).status_code == 400


def test_un_jeton_tire_pour_une_autre_demande_est_refuse(client):
    """Le nonce : un code intercepté, glissé dans la session d'un autre, n'ouvre rien."""
    rattacher()
    volee = Client()
    code = parse_qs(urlsplit(s_identifier(partir(volee))).query)["code"][0]
    etat = parse_qs(urlsplit(partir(client)).query)["state"][0]

    reponse = client.get(RETOUR, {"code": code, "state": etat})

    assert (reponse.status_code, client.get("/mon-compte/").status_code) == (400, 302)


def test_le_jeton_d_un_autre_service_n_ouvre_rien_ici(emetteur):
    demande = {"response_type": "code", "scope": "openid", "client_id": "autre", "redirect_uri": "http://x.invalid/"}
    page = requests.Request("GET", f"{emetteur}/oauth2/authorize", params=demande | {"nonce": "n"}).prepare().url
    code = parse_qs(urlsplit(s_identifier(page)).query)["code"][0]
    echange = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://x.invalid/"}
    jeton = requests.post(f"{emetteur}/oauth2/token", echange, auth=("autre", "x"), timeout=60).json()["id_token"]

    with pytest.raises(SuspiciousOperation, match="autre service"):
        Plateforme().verify_token(jeton, nonce="n")


def test_le_niveau_exige_se_releve(client, settings):
    rattacher()
    settings.FRANCECONNECT_NIVEAUX = ["eidas2", "eidas3"]

    assert passer(client).status_code == 400


def test_un_code_deja_echange_se_dit_sans_parler_de_panne(client, emetteur):
    rattacher()
    retour = s_identifier(partir(client))
    code = parse_qs(urlsplit(retour).query)["code"][0]
    adresse = f"http://testserver{RETOUR}"
    echange = {"grant_type": "authorization_code", "code": code, "redirect_uri": adresse}
    assert requests.post(f"{emetteur}/oauth2/token", echange, auth=("service", "secret"), timeout=60).ok

    assert client.get(retour).status_code == 400


def test_une_preuve_trop_faible_n_ouvre_rien(client):
    rattacher()

    assert passer(client, "faible").status_code == 400


@pytest.mark.parametrize("qui", ["anne", "trou", "inconnu"])
def test_sans_dossier_la_page_dit_quoi_faire(client, qui):
    UtilisateurFactory()

    page = passer(client, qui, suite="/mon-compte/dettes/")

    if qui == "inconnu":
        assert page.status_code == 400  # sans niveau de garantie
        return
    assert page.status_code == 403
    assert "Nous ne trouvons pas votre dossier" in page.content.decode()
    assert client.get("/mon-compte/").status_code == 302


def test_plusieurs_dossiers_la_page_les_nomme_et_n_en_ouvre_aucun(client):
    rattacher()
    rattacher(caf=CafFactory(code="751", nom="Caf de Paris"))

    page = passer(client)

    assert page.status_code == 403
    assert "Caf de Paris" in page.content.decode()
    assert client.get("/mon-compte/").status_code == 302


def test_le_conjoint_qui_a_un_compte_sur_le_dossier_n_est_pas_cette_identite(client):
    soi = rattacher()
    UtilisateurFactory(allocataire=soi.allocataire, identifiant="conjoint")

    passer(client)

    assert int(client.session["_auth_user_id"]) == soi.pk


def test_un_compte_ferme_reste_ferme(client):
    soi = rattacher()
    Utilisateur.objects.filter(pk=soi.pk).update(is_active=False)

    assert passer(client).url == reverse("account_inactive")


def test_qui_a_un_second_facteur_le_donne_aussi(client):
    soi = rattacher()
    poser_un_totp(soi)

    assert passer(client).url.startswith(reverse("mfa_authenticate"))
    donner_le_code(client)

    assert client.get("/mon-compte/").status_code == 200


def test_qui_a_un_second_facteur_ne_confirme_pas_sans_lui(client):
    """Sans quoi FranceConnect suffirait à lui ôter ce facteur."""
    poser_un_totp(rattacher())
    passer(client)
    donner_le_code(client)
    avant = client.session["account_authentication_methods"]

    passer(client)

    assert client.session["account_authentication_methods"] == avant


@pytest.mark.parametrize("page", ["comptes:franceconnect", "comptes:franceconnect_retour"])
def test_les_allers_et_retours_d_une_adresse_sont_bornes(client, settings, page):
    settings.FRANCECONNECT_EMETTEUR = ""
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": "2/m/ip"}

    assert [client.get(reverse(page)).status_code for _ in range(3)] == [404, 404, 429]


def test_y_renoncer_ramene_sans_rien_ouvrir(client):
    rattacher()

    page = client.get(s_identifier(partir(client), action="deny"))

    assert page.status_code == 400
    assert "n’a pas abouti" in page.content.decode()


def test_un_retour_tordu_ne_fait_aucune_panne(client):
    for question in ({}, {"state": "x"}, {"code": "x", "state": "x"}, {"error": "x", "state": "\u202e"}):
        assert client.get(RETOUR, question).status_code == 400


def test_une_plateforme_muette_se_dit(client, settings):
    settings.FRANCECONNECT_EMETTEUR = "http://127.0.0.1:9"

    page = client.get(reverse("comptes:franceconnect"))

    assert (page.status_code, "ne répond pas" in page.content.decode()) == (503, True)


def test_sans_mot_de_passe_on_confirme_par_franceconnect(client):
    soi = rattacher()
    soi.set_unusable_password()
    soi.save()
    passer(client)

    porte = client.get(reverse("account_change_password"), follow=True)
    confirme = client.get(s_identifier(partir(client, "/mon-compte/")))

    assert porte.redirect_chain[-1][0] == reverse("account_reset_password")
    assert confirme.url == "/mon-compte/"
    assert "prompt=login" in partir(client)


def test_se_deconnecter_deconnecte_aussi_de_franceconnect(client, emetteur):
    rattacher()
    passer(client)

    fin = client.post(reverse("account_logout")).url

    assert fin.startswith(f"{emetteur}/oauth2/end_session?id_token_hint=")
    assert "post_logout_redirect_uri=http%3A%2F%2Ftestserver%2F" in fin
    assert client.get("/mon-compte/").status_code == 302


def test_un_agent_ne_passe_pas_par_la(client):
    rattacher()
    entrer_en_agent(client, AgentFactory().utilisateur)

    passer(client)

    assert client.get("/agents/").status_code in (302, 403)


def test_la_page_de_connexion_l_offre_seulement_allume(client, settings):
    assert "FranceConnect" in client.get(reverse("account_login")).content.decode()
    settings.FRANCECONNECT_EMETTEUR = ""

    assert "FranceConnect" not in client.get(reverse("account_login")).content.decode()
    assert client.get(reverse("comptes:franceconnect")).status_code == 404
    assert entrer(client, UtilisateurFactory().identifiant).status_code == 302
