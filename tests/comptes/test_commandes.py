"""Les commandes : relançables, refusant ce qui serait dangereux, n'écrivant aucun secret à la vue de tous."""

import csv
import io
import resource
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from comptes import activation
from comptes.models import Agent, Caf, CodeActivation
from tests.connexion import entrer, entrer_en_agent, poser_un_totp
from tests.factories import AgentFactory, AllocataireFactory, CafFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


def lancer(*arguments: str, **options: object) -> str:
    """Lance une commande qui écrit, pour de bon."""
    sortie = io.StringIO()
    call_command(*arguments, stdout=sortie, appliquer=True, **options)
    return sortie.getvalue()


def test_charger_les_caf_garde_ce_qui_se_regle_ici() -> None:
    CafFactory(nom="Ancien nom", boutique="66100001", seuil_controle=500)

    lancer("charger_cafs")
    dit = lancer("charger_cafs")

    caf = Caf.objects.get(pk="661")
    assert (caf.nom, caf.boutique, caf.seuil_controle) == ("Caf des Pyrénées-Orientales", "66100001", 500)
    assert dit.startswith(f"{Caf.objects.count()} Caf chargées.")
    assert "Caf de la Haute-Corse" in dit


def test_charger_un_fichier_illisible_le_dit(tmp_path: Path) -> None:
    (tmp_path / "faux.csv").write_text("a;b\n1;2\n")

    with pytest.raises(CommandError, match="illisible"):
        lancer("charger_cafs", str(tmp_path / "faux.csv"))


def test_creer_un_agent_montre_un_code_une_seule_fois() -> None:
    CafFactory(), CafFactory(code="751")

    premiere = lancer("creer_agent", "Mme.Martin", "--role", "gestion", "--caf", "661", "--courriel", "m@caf.invalid")
    deuxieme = lancer("creer_agent", "mme.martin", "--role", "comptable", "--caf", "661", "751")

    agent = Agent.objects.get(utilisateur__identifiant="mme.martin")
    assert not agent.utilisateur.has_usable_password()
    assert activation.activer("mme.martin", premiere.split()[-1], "lune-seau-brique-feu") == agent.utilisateur
    assert "mot de passe gardé" in deuxieme
    assert agent.role == Agent.Role.COMPTABLE
    assert set(agent.cafs.values_list("pk", flat=True)) == {"661", "751"}
    assert agent.utilisateur.courriel == "m@caf.invalid"
    assert agent.utilisateur.is_staff
    assert not agent.utilisateur.is_superuser


def test_creer_un_agent_refuse_un_courriel_illisible() -> None:
    CafFactory()

    with pytest.raises(CommandError, match="pas une adresse"):
        lancer("creer_agent", "agent", "--role", "gestion", "--caf", "661", "--courriel", "martin")

    assert not Agent.objects.exists()


@pytest.mark.parametrize(("identifiant", "caf", "dit"), [("agent", "999", "999"), ("conjoint", "661", "allocataire")])
def test_creer_un_agent_refuse_une_caf_inconnue_et_un_compte_d_allocataire(
    identifiant: str, caf: str, dit: str
) -> None:
    UtilisateurFactory(identifiant="conjoint")

    with pytest.raises(CommandError, match=dit):
        lancer("creer_agent", identifiant, "--role", "gestion", "--caf", caf)


def test_les_codes_partent_sans_aucun_nom_dans_un_fichier_prive(tmp_path: Path) -> None:
    UtilisateurFactory(allocataire=AllocataireFactory(numero="0000354", nom="Colin"), password=None)
    UtilisateurFactory(allocataire=AllocataireFactory(caf=CafFactory(code="751")), password=None)
    UtilisateurFactory(allocataire=AllocataireFactory(numero="0000400"))
    sortie = tmp_path / "codes.csv"

    lancer("emettre_codes", "661", sortie=sortie)

    lignes = list(csv.reader(sortie.read_text().splitlines(), delimiter=";"))
    assert [ligne[0] for ligne in lignes] == ["identifiant", "661 0000354"]
    assert "Colin" not in sortie.read_text()
    assert sortie.stat().st_mode & 0o777 == 0o600
    assert activation.activer("6610000354", lignes[1][1], "lune-seau-brique-feu") is not None


def test_relancer_l_emission_ne_renvoie_pas_un_code_deja_parti(tmp_path: Path) -> None:
    UtilisateurFactory(password=None)

    lancer("emettre_codes", "661", sortie=tmp_path / "lundi.csv")
    dit = lancer("emettre_codes", "661", sortie=tmp_path / "mardi.csv")

    assert dit.startswith("0 codes")
    assert CodeActivation.objects.count() == 1


def test_un_mot_de_passe_oublie_recoit_un_code_a_la_demande(tmp_path: Path) -> None:
    oublieux = UtilisateurFactory()
    UtilisateurFactory(allocataire=AllocataireFactory(caf=CafFactory(code="751")), identifiant="ailleurs")

    lancer("emettre_codes", "661", sortie=tmp_path / "codes.csv", identifiant=[oublieux.identifiant, "ailleurs"])

    assert CodeActivation.objects.get().utilisateur == oublieux


def test_une_emission_qui_echoue_ne_laisse_ni_code_ni_fichier(tmp_path: Path, monkeypatch) -> None:
    UtilisateurFactory(password=None)
    monkeypatch.setattr("comptes.activation.secrets.randbelow", lambda _: 1 / 0)

    with pytest.raises(CommandError, match="Arrêt imprévu"):
        lancer("emettre_codes", "661", sortie=tmp_path / "codes.csv")

    assert not list(tmp_path.iterdir())
    assert not CodeActivation.objects.exists()


def test_disque_plein_aucun_code_n_est_valable(tmp_path: Path) -> None:
    UtilisateurFactory(password=None)
    souple, dure = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (10, dure))
    try:
        with pytest.raises(CommandError):
            lancer("emettre_codes", "661", sortie=tmp_path / "codes.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (souple, dure))

    assert not list(tmp_path.iterdir())
    assert not CodeActivation.objects.exists()


def test_l_emission_n_ecrase_aucun_fichier(tmp_path: Path) -> None:
    UtilisateurFactory(password=None)
    (tmp_path / "codes.csv").write_text("à garder")

    with pytest.raises(CommandError, match="ne peut pas être créé"):
        lancer("emettre_codes", "661", sortie=tmp_path / "codes.csv")

    assert (tmp_path / "codes.csv").read_text() == "à garder"


def test_rendre_son_acces_a_un_agent_ote_ses_facteurs_ferme_ses_sessions_et_donne_un_code(client: Client) -> None:
    agent = AgentFactory().utilisateur
    entrer_en_agent(client, agent)

    dit = lancer("rendre_acces", agent.identifiant.upper())

    assert client.get("/agents/").url.startswith("/agents/login/")
    assert not Authenticator.objects.filter(user=agent).exists()
    assert activation.activer(agent.identifiant, dit.split()[-1], "lune-seau-brique-feu") == agent


def test_un_code_d_agent_vaut_trois_jours() -> None:
    agent = AgentFactory().utilisateur
    code = lancer("rendre_acces", agent.identifiant).split()[-1]

    with time_machine.travel(timezone.now() + timedelta(days=3, seconds=1)):
        assert activation.activer(agent.identifiant, code, "lune-seau-brique-feu") is None


def test_rendre_son_acces_a_un_allocataire_ne_donne_pas_de_code(client: Client) -> None:
    allocataire = UtilisateurFactory()
    poser_un_totp(allocataire)

    dit = lancer("rendre_acces", allocataire.identifiant)

    assert "mot de passe suffit" in dit
    assert not CodeActivation.objects.exists()
    assert entrer(client, allocataire.identifiant).url == "/mon-compte/"


def test_rendre_acces_a_personne_le_dit() -> None:
    with pytest.raises(CommandError, match="pas un compte"):
        lancer("rendre_acces", "inconnu")


def test_une_cle_changee_se_lit_encore_puis_ne_sert_plus(client: Client, settings) -> None:
    agent = AgentFactory().utilisateur
    poser_un_totp(agent)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "nouvelle", [settings.SECRET_KEY]
    entrer_en_agent(client, agent)
    assert client.get("/agents/").status_code == 200

    dit = lancer("rechiffrer_facteurs")
    settings.SECRET_KEY_FALLBACKS = []

    assert dit.startswith("1 seconds facteurs")
    entrer_en_agent(Client(), agent)


def test_une_cle_perdue_se_dit_et_ne_change_rien(settings) -> None:
    totp = poser_un_totp(AgentFactory().utilisateur)
    settings.SECRET_KEY = "nouvelle"

    with pytest.raises(CommandError, match="Aucune clé connue"):
        lancer("rechiffrer_facteurs")

    assert Authenticator.objects.get().data == totp.data
