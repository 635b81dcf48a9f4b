"""La deuxième preuve : celle de cette session, redemandée pour y toucher, et jamais par le mot de passe seul."""

import re
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from comptes import services
from comptes.models import Agent, Evenement, Utilisateur
from tests.comptes.facteurs import NOUVEAU, activer, entrer_par_code, presenter
from tests.connexion import PERIODE, SECRET, calculer_code, donner_le_code, entrer, entrer_en_agent, poser_un_totp
from tests.factories import MOT_DE_PASSE, AgentFactory, UtilisateurFactory

# Allauth annonce un facteur ajouté quand la transaction est finie : il en faut de vraies.
pytestmark = pytest.mark.django_db(transaction=True)
BUREAU = ["/agents/", "/agents/comptes/allocataire/"]


@pytest.fixture
def agent() -> Agent:
    return AgentFactory()


@pytest.fixture
def voleur(agent: Agent) -> Client:
    """Une session ouverte par le mot de passe seul, avant que l'agent ait un second facteur."""
    session = Client()
    session.force_login(agent.utilisateur)  # par une vraie connexion elle n'existerait plus : c'est la garde d'après
    return session


@pytest.fixture
def instant(monkeypatch, settings) -> Callable[[int], None]:
    """Une horloge arrêtée au début d'une période de trente secondes, et de quoi l'avancer depuis là."""
    # Redis a son horloge à lui ; ce cache-ci suit la nôtre.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "instant"}}
    debut = int(time.time()) // PERIODE * PERIODE + PERIODE

    def avancer(secondes: int) -> None:
        monkeypatch.setattr(time, "time", lambda: float(debut + secondes))

    avancer(0)
    cache.clear()
    return avancer


@pytest.mark.parametrize("adresse", BUREAU)
def test_une_session_sans_preuve_n_entre_pas_quand_le_compte_a_un_facteur(agent, voleur, adresse: str) -> None:
    poser_un_totp(agent.utilisateur)

    assert voleur.get(adresse).url.startswith(reverse("mfa_reauthenticate"))


def test_la_preuve_donnee_la_session_entre_et_va_ou_elle_allait(agent, voleur) -> None:
    poser_un_totp(agent.utilisateur)
    porte = voleur.get(BUREAU[1]).url

    arrivee = voleur.post(porte, {"code": calculer_code(SECRET)})

    assert arrivee.url == BUREAU[1]
    assert voleur.get(BUREAU[1]).status_code == 200


def test_une_preuve_ne_vaut_plus_quand_son_facteur_n_est_plus(client, agent) -> None:
    entrer_en_agent(client, agent.utilisateur)
    assert client.get("/agents/").status_code == 200

    Authenticator.objects.all().delete()
    poser_un_totp(agent.utilisateur)

    assert client.get("/agents/").url.startswith(reverse("mfa_reauthenticate"))


def test_le_mot_de_passe_puis_le_code_menent_au_bureau(client, agent) -> None:
    poser_un_totp(agent.utilisateur)

    apres_le_mot_de_passe = entrer(client, agent.utilisateur.identifiant)
    porte_close = client.get("/agents/", follow=True).redirect_chain[-1][0]
    faux = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    apres_le_code = donner_le_code(client)

    assert apres_le_mot_de_passe.url == reverse("mfa_authenticate")
    assert porte_close.startswith(("/connexion/", reverse("mfa_authenticate")))
    assert faux.status_code == 200
    assert apres_le_code.url == "/agents/"


@pytest.mark.parametrize("secondes", [5, 31, 59])
def test_un_code_donne_ne_ressert_pas_tant_qu_il_vaut_encore(agent, instant, secondes: int) -> None:
    """Le code suivant, pris d'avance : il vaut de -30 à +60 secondes, donc 90 en tout."""
    poser_un_totp(agent.utilisateur)
    code = calculer_code(SECRET, 1)
    assert presenter(agent, code).status_code == 302

    instant(secondes)
    reponse = presenter(agent, f"{code[:3]} {code[3:]}")

    assert "a déjà servi" in reponse.content.decode()
    assert "le suivant" in reponse.content.decode()


def test_un_code_deja_donne_ne_confirme_rien_non_plus(client, agent, instant) -> None:
    entrer_en_agent(client, agent.utilisateur)

    instant(31)
    reponse = donner_le_code(client, -1, nom="mfa_reauthenticate")

    assert "a déjà servi" in reponse.content.decode()


def test_le_code_qui_active_l_application_ne_fait_pas_entrer(client, agent, instant) -> None:
    entrer_par_code(client, agent.utilisateur)
    secret = activer(client)

    reponse = presenter(agent, calculer_code(secret), NOUVEAU)

    assert "a déjà servi" in reponse.content.decode()


def test_redonner_un_code_se_compte_et_se_consigne(client, agent, instant) -> None:
    """Un code vu ne sert pas non plus à deviner sans fin le suivant."""
    poser_un_totp(agent.utilisateur)
    entrer(client, agent.utilisateur.identifiant)
    donner_le_code(client)
    entrer(autre := Client(), agent.utilisateur.identifiant)

    reponses = [donner_le_code(autre).content.decode() for _ in range(6)]

    assert all("a déjà servi" in reponse for reponse in reponses[:5])
    assert "Trop d’essais" in reponses[5]
    assert Evenement.objects.filter(genre=Evenement.Genre.FACTEUR_FAUX, compte=agent.utilisateur).count() == 5


def test_sans_facteur_le_mot_de_passe_n_ouvre_aucune_session(client, agent) -> None:
    reponse = entrer(client, agent.utilisateur.identifiant)

    assert reponse.url == reverse("comptes:sans_facteur")
    assert "_auth_user_id" not in client.session
    assert "Demandez un code" in client.get(reponse.url).content.decode()


@pytest.mark.parametrize("adresse", ["mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"])
def test_une_session_sans_code_n_ajoute_pas_de_premier_facteur(voleur, adresse: str) -> None:
    voleur.post(reverse("account_reauthenticate"), {"password": MOT_DE_PASSE})

    arrivee = voleur.get(reverse(adresse), follow=True).redirect_chain[-1][0]

    assert arrivee.startswith(reverse("comptes:sans_facteur"))


def test_avec_le_code_de_l_exploitant_un_agent_active_puis_entre(client, agent) -> None:
    assert entrer_par_code(client, agent.utilisateur).url == "/agents/"
    assert client.get("/agents/").url == reverse("mfa_activate_totp")

    activer(client)

    assert client.get("/agents/").status_code == 200
    client.logout()
    assert entrer(client, agent.utilisateur.identifiant, NOUVEAU).url == reverse("mfa_authenticate")


def test_le_code_de_l_exploitant_vaut_aussi_pour_un_operateur(client) -> None:
    operateur = Utilisateur.objects.create_superuser("operateur", MOT_DE_PASSE)
    entrer_par_code(client, operateur)

    activer(client)

    assert client.get("/agents/comptes/utilisateur/").status_code == 200


def test_qui_tarde_a_activer_redonne_son_mot_de_passe(client, agent, settings) -> None:
    entrer_par_code(client, agent.utilisateur)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0

    confirmation = client.get(reverse("mfa_activate_totp"))

    assert confirmation.url.startswith(reverse("account_reauthenticate"))
    assert client.get(confirmation.url).status_code == 200


def test_activer_ferme_les_autres_sessions(client, agent) -> None:
    allocataire = UtilisateurFactory()
    autre = Client()
    for session in (autre, client):
        entrer(session, allocataire.identifiant)
    client.post(reverse("account_reauthenticate"), {"password": MOT_DE_PASSE})

    activer(client)

    assert autre.get("/mon-compte/").url.startswith("/connexion/")
    assert client.get("/mon-compte/").status_code == 200


def test_le_mot_de_passe_seul_n_ote_pas_le_facteur(agent, voleur) -> None:
    poser_un_totp(agent.utilisateur)

    voleur.post(reverse("account_reauthenticate"), {"password": MOT_DE_PASSE})
    voleur.post(reverse("mfa_deactivate_totp"))

    assert Authenticator.objects.filter(user=agent.utilisateur, type="totp").exists()


@pytest.mark.parametrize(
    "adresse", ["mfa_deactivate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"]
)
def test_toucher_a_un_facteur_redemande_un_facteur(client, adresse: str) -> None:
    """Pour un allocataire aussi : entré depuis longtemps, il ne passe pas par le mot de passe."""
    allocataire = UtilisateurFactory()
    entrer(client, allocataire.identifiant)
    client.post(reverse("account_reauthenticate"), {"password": MOT_DE_PASSE})
    activer(client)
    client.logout()
    entrer(client, allocataire.identifiant)
    totp = Authenticator.objects.get(type="totp")
    client.post(reverse("mfa_authenticate"), {"code": calculer_code(lire_secret(totp), 1)})

    confirmation = client.get(reverse(adresse))

    assert confirmation.url.startswith(reverse("mfa_reauthenticate"))
    assert client.get(f"{reverse('account_reauthenticate')}").url.startswith(reverse("mfa_reauthenticate"))


def lire_secret(totp: Authenticator) -> str:
    from allauth.mfa.utils import decrypt

    return decrypt(totp.data["secret"])


def test_un_agent_change_d_application_en_donnant_l_ancienne(client, agent) -> None:
    entrer_en_agent(client, agent.utilisateur)
    client.post(reverse("mfa_reauthenticate"), {"code": calculer_code(SECRET, 1)})

    client.post(reverse("mfa_deactivate_totp"))
    assert client.get("/agents/").url == reverse("mfa_activate_totp")
    activer(client)

    assert client.get("/agents/").status_code == 200


def test_les_codes_de_secours_ne_se_montrent_qu_une_fois(client, agent) -> None:
    entrer_par_code(client, agent.utilisateur)
    activer(client)
    adresse = reverse("mfa_view_recovery_codes")

    premiere, deuxieme = (client.get(adresse).content.decode() for _ in range(2))

    assert len(re.findall(r"<code class=\"reference\">\d{8}</code>", premiere)) == 10
    assert not re.findall(r"\d{8}", deuxieme)
    assert "Il en reste 10 sur 10" in deuxieme


def test_la_base_ne_montre_ni_secret_ni_codes_de_secours(client, agent) -> None:
    entrer_par_code(client, agent.utilisateur)
    secret = activer(client)

    garde = {facteur.type: facteur.data for facteur in Authenticator.objects.all()}

    assert secret not in str(garde)
    assert lire_secret(Authenticator.objects.get(type="totp")) == secret
    assert re.fullmatch(r"gAAAA[\w=-]+", garde["recovery_codes"]["seed"])


def test_chaque_changement_s_annonce_a_l_agent(client, agent, mailoutbox) -> None:
    entrer_par_code(client, agent.utilisateur)
    activer(client)
    client.post(reverse("mfa_generate_recovery_codes"))
    client.post(reverse("mfa_deactivate_totp"))
    autre = "porte-nuage-brique-feu"
    client.post(reverse("account_change_password"), {"oldpassword": NOUVEAU, "password1": autre, "password2": autre})
    services.rendre_acces(agent.utilisateur)

    assert {tuple(courriel.to) for courriel in mailoutbox} == {(agent.utilisateur.courriel,)}
    assert [re.search(r"\d\d:\d\d\s: (.*?)[,.]", courriel.body)[1] for courriel in mailoutbox] == [
        "un mot de passe a été choisi avec un code de l’exploitant",
        "une application d’authentification a été ajoutée",
        "de nouveaux codes de secours ont été créés",
        "l’application d’authentification a été retirée",
        "le mot de passe a été changé",
        "l’exploitant a donné un code",
    ]
    assert not any("http" in courriel.body for courriel in mailoutbox)


def test_un_courrier_en_panne_n_arrete_rien(client, agent, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    entrer_par_code(client, agent.utilisateur)
    activer(client)

    assert client.get("/agents/").status_code == 200
