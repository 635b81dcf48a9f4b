"""`make demo` survit à la mort de chacun de ses processus : chacun est tué pour de vrai, relancé, et c'est dit."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from outils import postgres
from outils.systeme import read_pid, wait_until
from tests.navigateur.demonstration import Demonstration, lire

# Ce qui se lit sur la commande de chacun.
COMMANDES = {
    "site": "gunicorn caf_remboursement.wsgi",
    "taches-argent": "-Q argent",
    "taches-payzen": "-Q payzen",
    "taches-tickets": "-Q tickets",
    "calendrier": "caf_remboursement beat",
    "payzen": "simulateur_payzen serveur",
    "courriels": "outils.courriels",
}
SERVICES = ["courtier", "base"]
PATIENCE = 300  # secondes : ne borne qu'un échec


@pytest.fixture(scope="module")
def demonstration() -> Iterator[Demonstration]:
    demonstration = Demonstration()
    try:
        demonstration.lancer()
        yield demonstration
    finally:
        demonstration.effacer()


def lister_les_enfants(pid: int) -> dict[int, str]:
    """Les processus lancés par la démonstration elle-même, et leur commande."""
    enfants = {}
    for processus in Path("/proc").glob("[0-9]*"):
        statut = lire(processus / "stat").decode(errors="replace")
        if re.search(rf"\) \S {pid} ", statut):
            enfants[int(processus.name)] = lire(processus / "cmdline").replace(b"\0", b" ").decode(errors="replace")
    return enfants


def trouver(demonstration: Demonstration, nom: str) -> int | None:
    if nom == "base":
        return postgres._locate(demonstration.dossier / "base").pid
    if nom == "courtier":
        return read_pid(demonstration.dossier / "courtier/pid", str(demonstration.dossier))
    enfants = lister_les_enfants(demonstration.processus.pid)
    return next((pid for pid, commande in enfants.items() if COMMANDES[nom] in commande), None)


def compter_les_relances(demonstration: Demonstration, nom: str) -> int:
    return demonstration.lire_le_journal().count(f"« {nom} » s'est arrêté : relancé.")


@pytest.mark.parametrize("nom", ["site", "taches-argent", "taches-payzen", "taches-tickets", "calendrier"])
def test_il_sert_sous_un_compte_qui_n_efface_aucun_journal(demonstration: Demonstration, nom: str) -> None:
    pid = trouver(demonstration, nom)
    variables = dict(v.partition(b"=")[::2] for v in lire(Path(f"/proc/{pid}/environ")).split(b"\0"))

    assert postgres._locate(demonstration.dossier / "base").secret.read_text().encode() not in b"".join(
        variables.values()
    )
    with psycopg.connect(variables[b"DATABASE_URL"].decode()) as connexion:
        assert connexion.execute("SELECT current_user").fetchone() == ("rembourser_service",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connexion.execute("DELETE FROM django_admin_log")


@pytest.mark.parametrize("nom", [*COMMANDES, *SERVICES])
def test_tue_il_est_relance_et_dit(demonstration: Demonstration, nom: str) -> None:
    victime = trouver(demonstration, nom)
    assert victime is not None, lister_les_enfants(demonstration.processus.pid)

    os.kill(victime, signal.SIGKILL)

    assert wait_until(lambda: compter_les_relances(demonstration, nom) >= 1, PATIENCE), demonstration.lire_le_journal()
    assert wait_until(lambda: trouver(demonstration, nom) not in (None, victime), PATIENCE)
    assert demonstration.processus.poll() is None


def test_apres_toutes_ces_morts_le_site_et_son_payzen_repondent(demonstration: Demonstration) -> None:
    for site in ("service", "simulateur", "courriels"):
        adresse = demonstration.get_adresse(site, "sante/")
        assert wait_until(lambda adresse=adresse: is_pret(adresse), PATIENCE), site


def is_pret(adresse: str) -> bool:
    try:
        return requests.get(adresse, timeout=20).status_code == 200
    except requests.ConnectionError:
        return False
