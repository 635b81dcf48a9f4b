"""Les ports, les secrets et l'environnement de la démonstration."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from outils import demo_reglages
from outils.demo_reglages import Ports, build_environment, get_secrets, read_delay, read_ports
from outils.systeme import Empechement, find_port

PORTS = Ports(18000, 18001, 18002)
SERVICES = {"DATABASE_URL": "postgresql://base", "REDIS_URL": "redis://courtier"}


@pytest.fixture
def port_pris() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", find_port())) as prise:
        yield prise.getsockname()[1]


@pytest.fixture
def sans_reglages(monkeypatch: pytest.MonkeyPatch) -> None:
    """L'environnement d'une personne qui n'a rien réglé."""
    for nom in ("PAYZEN_BOUTIQUES", "SECRET_KEY", "ADRESSE_PUBLIQUE", "SIMULATEUR_BOUTIQUES"):
        monkeypatch.delenv(nom, raising=False)


def test_un_port_pris_est_nomme_et_un_autre_est_propose(port_pris: int) -> None:
    with pytest.raises(Empechement, match=rf"{port_pris} est déjà pris.*make demo PORT={port_pris + 100}"):
        read_ports({"PORT": str(port_pris)})


@pytest.mark.parametrize("valeur", ["abc", "0", "70000", "-1", "²"])
def test_un_port_illisible_est_refuse(valeur: str) -> None:
    with pytest.raises(Empechement, match="n'est pas un numéro de port"):
        read_ports({"PORT": valeur})


def test_un_port_donne_deux_fois_est_refuse() -> None:
    with pytest.raises(Empechement, match="déjà donné"):
        read_ports({"PORT": "18000", "PORT_COURRIEL": "18000"})


@pytest.mark.parametrize("valeur", ["abc", "-1", "3601", "1.5", "²"])
def test_un_delai_de_verification_illisible_est_refuse(valeur: str) -> None:
    with pytest.raises(Empechement, match="n'est pas un nombre de secondes"):
        read_delay({"VERIFICATION": valeur})


def test_la_demonstration_peut_retenir_la_verification_une_minute(
    tmp_path: Path, sans_reglages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sans = build_environment(tmp_path, PORTS, SERVICES)
    monkeypatch.setenv("VERIFICATION", "60")

    retenue = build_environment(tmp_path, PORTS, SERVICES)

    assert (sans["VERIFICATION"], retenue["VERIFICATION"]) == ("0", "60")


def test_les_secrets_sont_tires_une_fois_et_gardes_prives(tmp_path: Path) -> None:
    premiers = get_secrets(tmp_path)

    seconds = get_secrets(tmp_path)

    assert seconds == premiers
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_le_simulateur_et_le_service_partagent_les_cles_de_test(tmp_path: Path, sans_reglages: None) -> None:
    environnement = build_environment(tmp_path, PORTS, SERVICES)

    service = json.loads(environnement["PAYZEN_BOUTIQUES"])
    simulateur = json.loads(environnement["SIMULATEUR_BOUTIQUES"])
    assert set(service) == set(simulateur) == set(demo_reglages.BOUTIQUES)
    for site, cles in service.items():
        assert cles["TEST"] == {
            "cle": simulateur[site]["cle_test"],
            "mot_de_passe": simulateur[site]["mot_de_passe_test"],
        }


def test_une_boutique_donnee_par_l_environnement_n_est_pas_remplacee(
    tmp_path: Path, sans_reglages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    donnee = json.dumps({"12345678": {"TEST": {"cle": "la mienne", "mot_de_passe": "testpassword_mien"}}})
    monkeypatch.setenv("PAYZEN_BOUTIQUES", donnee)

    environnement = build_environment(tmp_path, PORTS, SERVICES)

    assert environnement["PAYZEN_BOUTIQUES"] == donnee
    assert json.loads(environnement["SIMULATEUR_BOUTIQUES"])["12345678"]["cle_test"] == "la mienne"


def test_la_demonstration_tourne_sans_page_de_debogage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "true")

    environnement = build_environment(tmp_path, PORTS, SERVICES)

    assert environnement["DEBUG"] == "false"
    assert environnement["DATABASE_URL"] == "postgresql://base"
