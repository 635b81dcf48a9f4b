"""`make demo` survit à la mort de chacun de ses processus : chacun est tué pour de vrai, relancé, et c'est dit."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
from playwright.sync_api import Browser

from outils import postgres
from outils.systeme import read_pid, wait_until
from tests.navigateur.demonstration import Demonstration, attendre, lancer_une_demonstration, lire
from tests.navigateur.examen import Examen
from tests.navigateur.visiteur import Visiteur

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
UNE_HEURE_PLUS_TARD = """
from datetime import timedelta
from django.db.models import F
from paiements.models import Paiement
attendus = Paiement.objects.filter(statut="ACCEPTE")
assert attendus.update(prochain_controle_le=F("prochain_controle_le") - timedelta(hours=1)) == 1
"""


@pytest.fixture(scope="module")
def demonstration() -> Iterator[Demonstration]:
    # Une heure : ce qui est « enregistré » le reste, si lente que soit la machine.
    demonstration = lancer_une_demonstration(VERIFICATION="3600")
    try:
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


def test_la_caf_prend_le_temps_regle_pour_verifier_et_le_visiteur_voit_enregistree(
    demonstration: Demonstration, chromium: Browser
) -> None:
    contexte = chromium.new_context(viewport={"width": 320, "height": 800}, locale="fr-FR")
    contexte.set_default_timeout(60_000)
    visiteur = Visiteur(contexte.new_page(), demonstration, Examen(), javascript=True)
    visiteur.se_connecter("allocataire qui a plusieurs dettes")
    dette = visiteur.choisir_les_grandes()[0]
    avant = visiteur.lire_les_soldes()[dette]
    visiteur.preparer({dette: "3"})
    reference = visiteur.payer()

    visiteur.aller("mon-compte/dettes/")
    visiteur.lire("Vous avez effectué un paiement de 3,00\xa0€")
    visiteur.lire("Vos dettes seront mises à jour lorsque la Caf aura pris en compte votre demande, d’ordinaire")
    visiteur.aller(f"mon-compte/demarches/{reference}/")
    visiteur.lire("Enregistrée, en cours de vérification")
    visiteur.regarder()
    assert visiteur.lire_les_soldes()[dette] == avant

    demonstration.gerer("shell", "-c", UNE_HEURE_PLUS_TARD)

    def est_prise_en_compte() -> bool:
        visiteur.aller(f"mon-compte/demarches/{reference}/")
        return visiteur.page.get_by_text("Vos dettes sont à jour").count() > 0

    attendre(est_prise_en_compte, PATIENCE, "l'heure passée, la Caf n'a rien vérifié")
    assert visiteur.lire_les_soldes()[dette] == avant - 3
    assert visiteur.examen.fautes == []
    contexte.close()


def is_pret(adresse: str) -> bool:
    try:
        return requests.get(adresse, timeout=20).status_code == 200
    except requests.ConnectionError:
        return False
