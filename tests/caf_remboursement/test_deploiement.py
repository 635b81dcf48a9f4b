"""`check --deploy` refuse ce qui perdrait les tickets ou ouvrirait une porte ; les exemples n'en laissent pas."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from caf_remboursement.verifications import verifier_l_expediteur, verifier_la_plateforme
from outils.demo import OUVRIERS
from paiements.payzen import Mode

RACINE = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def production(settings):
    settings.PAYZEN_MODE = Mode.PRODUCTION
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


@pytest.mark.parametrize(
    "expediteur",
    [
        "ne-pas-repondre@caf.example",
        "Rembourser ma Caf <ne-pas-repondre@caf.example>",
        "Rembourser ma Caf <ne-pas-repondre@caf-hérault.example>",
    ],
)
def test_une_adresse_avec_ou_sans_nom_convient(settings, expediteur):
    settings.DEFAULT_FROM_EMAIL = expediteur

    assert verifier_l_expediteur(None) == []


@pytest.mark.parametrize("expediteur", ["ne-pas-repondre", "Caf <a@b", "a@caf.invalid", "Rembourser ma Caf", ""])
def test_ce_qui_n_est_pas_une_adresse_est_refuse(settings, expediteur):
    settings.DEFAULT_FROM_EMAIL = expediteur

    assert [faute.id for faute in verifier_l_expediteur(None)] == ["service.E004"]


def test_des_courriels_ecrits_sur_la_console_sont_refuses(settings):
    settings.DEFAULT_FROM_EMAIL = "a@caf.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    assert [faute.id for faute in verifier_l_expediteur(None)] == ["service.E005"]


@pytest.mark.parametrize(
    ("adresse", "fautes"),
    [
        ("redis://127.0.0.1:6379/0", ["service.E007"]),
        ("rediss://cache.caf.example/0", ["service.E007"]),
        ("redis://:secret@127.0.0.1:6379/0", []),
        ("unix:///run/valkey.sock", []),
    ],
)
def test_un_courtier_du_reseau_sans_mot_de_passe_est_refuse(settings, adresse, fautes):
    settings.REDIS_URL = adresse

    assert [faute.id for faute in verifier_la_plateforme(None) if faute.id == "service.E007"] == fautes


def test_chaque_exemple_de_courtier_a_son_mot_de_passe():
    exemple = re.search(r"^REDIS_URL=(.+)$", (RACINE / ".env.exemple").read_text(), re.MULTILINE)
    compose = lire_la_composition()

    assert exemple
    assert urlsplit(exemple[1]).password
    assert "--requirepass" in compose["valkey"]["command"]
    assert re.search(r"^requirepass \S+$", (RACINE / "deploiement/valkey/rembourser.conf").read_text(), re.MULTILINE)


def test_seule_la_migration_a_le_compte_qui_possede_les_tables():
    du_service = {
        nom: service["environment"] for nom, service in lire_la_composition().items() if "env_file" in service
    }
    adresses = {nom: variables["DATABASE_URL"] for nom, variables in du_service.items() if "DATABASE_URL" in variables}

    assert {nom for nom, adresse in adresses.items() if "//rembourser_service:" not in adresse} == {"migrations"}
    assert {"web", "argent", "payzen", "tickets", "beat"} <= adresses.keys()
    assert {variables.get("POSTGRES_PASSWORD") for variables in du_service.values()} == {""}


def test_les_droits_se_repassent_apres_la_migration_et_avant_le_service():
    compose = lire_la_composition()

    assert list(compose["droits"]["depends_on"]) == ["migrations"]
    assert "droits.sql" in " ".join(compose["droits"]["command"])
    assert all("droits" in compose[nom]["depends_on"] for nom in ("web", "argent", "payzen", "tickets", "beat"))


def lire_la_composition():
    return yaml.safe_load((RACINE / "docker-compose.yml").read_text())["services"]


def test_la_ou_le_service_tourne_payzen_s_interroge_a_seize_a_la_fois():
    unite = Path(RACINE, "deploiement/systemd/rembourser-ouvrier@payzen.service.d/fils.conf").read_text()
    composition = yaml.safe_load(Path(RACINE, "docker-compose.yml").read_text())["services"]
    (compose,) = (service["command"] for service in composition.values() if "payzen" in service.get("command", ()))

    for commande in (unite, " ".join(compose), " ".join(OUVRIERS["payzen"])):
        assert "--pool threads --concurrency 16" in commande


def lire_l_unite(nom):
    """Une unité comme systemd la lit : son modèle, puis ce qui ne s'ajoute qu'à elle."""
    unites = RACINE / "deploiement/systemd"
    modele = unites / re.sub(r"@.+(?=\.service)", "@", nom)
    return "\n".join(lu.read_text() for lu in (modele, *sorted(unites.glob(f"{nom}.d/*.conf"))))


def lister_les_lancees(*, sans):
    """Ce que lancent les minuteries, et dont l'unité n'a pas cette ligne."""
    for minuterie in sorted((RACINE / "deploiement/systemd").glob("*.timer")):
        lancee = re.search(r"^Unit=(.+)$", minuterie.read_text(), re.MULTILINE)
        nom = lancee[1] if lancee else minuterie.with_suffix(".service").name
        lignes = lire_l_unite(nom).splitlines()
        if sans not in lignes:
            yield nom


def test_ce_qui_echoue_la_nuit_se_dit_sauf_l_etat_qui_se_dit_lui_meme():
    muettes = list(lister_les_lancees(sans="OnFailure=rembourser-echec@%n.service"))

    assert muettes == ["rembourser-commande@etat_service.service"]


def test_un_constat_n_est_un_succes_que_pour_l_etat():
    """verifier_invariants et purger rendent 1 d'une violation, ou de ce qui reste du périmé."""
    strictes = list(lister_les_lancees(sans="SuccessExitStatus=1"))

    assert "rembourser-commande@etat_service.service" not in strictes
    assert {f"rembourser-{nom}.service" for nom in ("commande@verifier_invariants", "commande@purger")} <= set(
        strictes
    )


def test_ce_que_lance_une_minuterie_attend_la_base():
    """Persistent=true : au démarrage de la machine, tout ce qui a été manqué part aussitôt."""
    assert list(lister_les_lancees(sans="After=network-online.target postgresql.service")) == []


def test_les_rejets_d_un_import_vont_d_ordinaire_ou_le_compte_du_service_ecrit():
    """Sous le code, il n'écrit pas : l'import mourait au premier rejet."""
    reglages = {"SECRET_KEY": "x", "DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://", "PAYZEN_MODE": "TEST"}
    lire = "from django.conf import settings; print(settings.IMPORT_REJETS)"
    dit = subprocess.check_output(
        [sys.executable, "-c", lire],
        cwd=RACINE,
        env=reglages | {"DJANGO_SETTINGS_MODULE": "caf_remboursement.settings"},
        text=True,
    )
    unite = (RACINE / "deploiement/systemd/rembourser-planificateur.service").read_text()

    (sien,) = re.findall(r"^StateDirectory=(.+)$", unite, re.MULTILINE)
    assert Path(dit.strip()).is_relative_to(Path("/var/lib", sien))
