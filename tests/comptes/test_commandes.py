"""Les commandes : relançables, refusant ce qui serait dangereux, n'écrivant aucun secret à la vue de tous."""

import csv
import io
import json
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from comptes import activation
from comptes.models import Agent, Allocataire, Caf, CodeActivation, Utilisateur
from tests.factories import AllocataireFactory, CafFactory, DetteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


def lancer(*arguments: str, **options: object) -> str:
    sortie = io.StringIO()
    call_command(*arguments, stdout=sortie, **options)
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


def test_creer_un_agent_montre_son_mot_de_passe_une_seule_fois() -> None:
    CafFactory(), CafFactory(code="751")

    premiere = lancer("creer_agent", "Mme.Martin", "--role", "gestion", "--caf", "661")
    deuxieme = lancer("creer_agent", "mme.martin", "--role", "comptable", "--caf", "661", "751")

    agent = Agent.objects.get(utilisateur__identifiant="mme.martin")
    assert agent.utilisateur.check_password(premiere.split()[-1])
    assert "mot de passe gardé" in deuxieme
    assert agent.role == Agent.Role.COMPTABLE
    assert set(agent.cafs.values_list("pk", flat=True)) == {"661", "751"}
    assert agent.utilisateur.is_staff
    assert not agent.utilisateur.is_superuser


def test_creer_un_agent_demande_et_verifie_le_mot_de_passe(monkeypatch) -> None:
    CafFactory()
    monkeypatch.setattr("comptes.management.commands.creer_agent.getpass", lambda _: "court")

    with pytest.raises(CommandError, match="au moins 10 caractères"):
        lancer("creer_agent", "agent", "--role", "gestion", "--caf", "661", "--demander")
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
    assert [ligne[0] for ligne in lignes] == ["identifiant", "6610000354"]
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

    with pytest.raises(ZeroDivisionError):
        lancer("emettre_codes", "661", sortie=tmp_path / "codes.csv")

    assert not list(tmp_path.iterdir())
    assert not CodeActivation.objects.exists()


def test_l_emission_n_ecrase_aucun_fichier(tmp_path: Path) -> None:
    UtilisateurFactory(password=None)
    (tmp_path / "codes.csv").write_text("à garder")

    with pytest.raises(CommandError, match="ne peut pas être créé"):
        lancer("emettre_codes", "661", sortie=tmp_path / "codes.csv")

    assert (tmp_path / "codes.csv").read_text() == "à garder"


@pytest.fixture
def dossiers() -> None:
    """De quoi remplir les comptes de démonstration, dans trois Caf."""
    situations = [("661", "0000354", 4, False), ("751", "0000360", 3, True), ("661", "0000355", 30, False)]
    for code, numero, combien, radie in [*situations, ("598", "0000370", 0, False)]:
        allocataire = AllocataireFactory(caf=CafFactory(code=code, boutique=""), numero=numero, radie=radie)
        for _ in range(combien):
            DetteFactory(allocataire=allocataire)


def test_la_demonstration_a_ses_comptes_et_ils_ouvrent(tmp_path: Path, dossiers: None, client: Client) -> None:
    fichier = tmp_path / "comptes.json"

    lancer("preparer_demo", comptes=str(fichier))

    comptes = json.loads(fichier.read_text())
    assert [c["identifiant"] for c in comptes[:4]] == ["6610000354", "7510000360", "6610000355", "5980000370"]
    assert len(comptes) == 4 + len(Agent.Role)
    assert fichier.stat().st_mode & 0o777 == 0o600
    assert [("secret_totp" in c) for c in comptes] == [False] * 4 + [True] * 4
    assert Caf.objects.get(pk="598").boutique == "59800001"
    for compte in comptes:
        saisie = {"login": compte["identifiant"], "password": compte["mot_de_passe"]}
        assert client.post(reverse("account_login"), saisie).status_code == 302
        client.logout()


def test_relancer_la_preparation_ne_change_rien_et_refaire_retrouve_les_comptes(
    tmp_path: Path, dossiers: None
) -> None:
    fichier = tmp_path / "comptes.json"
    lancer("preparer_demo", comptes=fichier)
    avant = fichier.read_text()

    lancer("preparer_demo", comptes=fichier)
    assert fichier.read_text() == avant

    fichier.unlink()
    lancer("preparer_demo", comptes=fichier)
    assert [c["identifiant"] for c in json.loads(fichier.read_text())] == [c["identifiant"] for c in json.loads(avant)]
    assert Authenticator.objects.count() == len(Agent.Role)


def test_la_demonstration_ne_se_prepare_pas_en_production(tmp_path: Path, dossiers: None, settings) -> None:
    settings.PAYZEN_MODE = "PRODUCTION"

    with pytest.raises(CommandError, match="production"):
        lancer("preparer_demo", comptes=tmp_path / "comptes.json")

    assert not Utilisateur.objects.exists()


def test_sans_les_livraisons_la_preparation_dit_quoi_lancer(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="charger_cafs"):
        lancer("preparer_demo", comptes=tmp_path / "comptes.json")

    assert not (tmp_path / "comptes.json").exists()
    assert not Allocataire.objects.exists()
