"""
La démonstration entière, d'une commande : `make demo`.

Base, courtier, courriels, PayZen simulé, site, tâches : tout tourne ici, sur la boucle locale, et s'arrête ensemble.
Ce qu'elle écrit tient dans `.demo/` ; un second lancement retrouve les mêmes données.
"""

import argparse
import fcntl
import json
import os
import secrets
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from celery import Celery

from outils import compte_du_service, postgres, valkey
from outils.demo_reglages import Ports, build_environment, draw_smtp_port, read_ports
from outils.gardien import Gardien, Service
from outils.processus import Equipe
from outils.systeme import (
    DISQUE_PLEIN,
    RACINE,
    Empechement,
    die_with_parent,
    get_free_space,
    is_disk_full,
    readable_errors,
    remove_tree,
    wait_until,
    write_private,
)

PLACE_MINIMALE = 200  # Mo
# Un ouvrier par file : PayZen ou le courriel, lents, ne font attendre qu'eux. Qui n'attend que le réseau a des fils.
OUVRIERS = {
    "argent": ("--concurrency", "1"),
    "payzen": ("--pool", "threads", "--concurrency", "16"),
    "tickets": ("--concurrency", "1"),
}
DELAI_DEMARRAGE = 90  # secondes : large, pour une machine lente ou chargée


class Interruption(Exception):
    """Ctrl-C ou SIGTERM : la personne a fini."""


def main() -> None:
    """Lance la démonstration et la tient jusqu'à Ctrl-C ou SIGTERM ; ce qui meurt est relancé."""
    analyseur = argparse.ArgumentParser(prog="python -m outils.demo", description=__doc__)
    analyseur.add_argument("--neuve", action="store_true", help="efface d'abord les données de la démonstration")
    neuve = analyseur.parse_args().neuve
    dossier = Path(os.environ.get("DEMO_DOSSIER") or RACINE / ".demo").resolve()
    os.umask(0o077)  # secrets, courriels et journaux : à nous seuls
    if "MAKELEVEL" in os.environ:
        die_with_parent(signal.SIGTERM)()  # make tué, plus personne ne nous arrêterait
    for numero in (signal.SIGINT, signal.SIGTERM):
        signal.signal(numero, _interrupt)
    with readable_errors():
        try:
            with _lock(dossier, neuve=neuve), ExitStack() as pile:
                if neuve:
                    _erase(dossier)
                _run(dossier, pile)
        except Interruption:
            print("Démonstration arrêtée. Ses données sont gardées : make demo les retrouvera.", flush=True)


def _interrupt(_numero: int, _cadre: object) -> None:
    """Le premier signal arrête tout ; les suivants attendraient pour rien."""
    for numero in (signal.SIGINT, signal.SIGTERM):
        signal.signal(numero, signal.SIG_IGN)
    raise Interruption


@contextmanager
def _lock(dossier: Path, *, neuve: bool) -> Iterator[None]:
    """
    Une seule démonstration à la fois par dossier.

    :raises Empechement: si une autre y tourne ; avec `neuve`, elle est arrêtée d'abord
    """
    dossier.mkdir(parents=True, exist_ok=True)
    dossier.chmod(0o711)  # le compte de PostgreSQL n'est pas toujours le nôtre ; chaque fichier est privé
    with (dossier / "verrou").open("a+") as verrou:
        if not _take(verrou):
            verrou.seek(0)
            if not neuve:
                raise Empechement("la démonstration tourne déjà ici. Arrêtez-la (Ctrl-C), ou tapez : make demo-neuve")
            os.kill(int(verrou.read()), signal.SIGTERM)
            if not wait_until(lambda: _take(verrou), 40):
                raise Empechement("la démonstration qui tourne déjà ici ne s'arrête pas.")
        verrou.truncate(0)
        verrou.write(str(os.getpid()))
        verrou.flush()
        yield


def _take(verrou: Any) -> bool:
    try:
        fcntl.flock(verrou, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _erase(dossier: Path) -> None:
    """Efface tout ce que la démonstration a écrit, sauf le verrou que l'on tient."""
    print("Effacement des données de la démonstration…", flush=True)
    valkey.stop(dossier / "courtier")
    postgres.erase(dossier / "base")
    for chemin in dossier.iterdir():
        if chemin.is_dir():
            remove_tree(chemin)
        elif chemin.name != "verrou":
            chemin.unlink()


def _run(dossier: Path, pile: ExitStack) -> None:
    """Démarre tout, annonce, surveille. `pile` garde ce qu'il faudra défaire, dans l'ordre inverse."""
    ports = read_ports(os.environ)
    if (place := get_free_space(dossier)) < PLACE_MINIMALE:
        raise Empechement(
            f"le disque est plein : il reste {place} Mo pour {dossier}, la démonstration en demande {PLACE_MINIMALE}."
        )
    services, proprietaire = _start_services(dossier, pile)
    smtp = draw_smtp_port(ports)
    catch = not os.environ.get("EMAIL_URL")
    if catch:
        services["EMAIL_URL"] = f"smtp://127.0.0.1:{smtp}"
    environnement = build_environment(dossier, ports, services)
    equipe = Equipe(dossier / "journaux", environnement, RACINE)
    pile.callback(equipe.stop)
    print("Préparation des données d'exemple…", flush=True)
    commandes = _list_commands(dossier, ports, smtp if catch else None)
    # Le reste attend les tables et les fichiers statiques ; eux s'importent pendant qu'ils se font.
    apres = {nom: commandes.pop(nom) for nom in ("site", "calendrier")}
    for nom, commande in commandes.items():
        equipe.start(nom, commande)
    if not equipe.run("preparation", _get_preparation(dossier), proprietaire):
        raise _explain_death(equipe, "preparation")
    print("Démarrage du site, des tâches et du PayZen simulé…", flush=True)
    for nom, commande in apres.items():
        equipe.start(nom, commande)
    _wait_ready(equipe, ports, environnement["REDIS_URL"])
    _announce(dossier, ports, catch=catch)
    Gardien(equipe, _list_services(dossier, services), lambda nom: _explain_death(equipe, nom)).tenir()


def _start_services(dossier: Path, pile: ExitStack) -> tuple[dict[str, str], dict[str, str]]:
    """
    Base et courtier : ceux de l'environnement s'il en donne, sinon les nôtres.

    Avec eux, pour la préparation seule : la base que nous apportons, vue de qui en possède les tables, et de qui la
    sert.
    """
    preparation = {}
    print("Démarrage de la base de données…", flush=True)
    services = {nom: os.environ[nom] for nom in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL") if os.environ.get(nom)}
    if "DATABASE_URL" not in services:
        pile.callback(postgres.stop, dossier / "base")
        proprietaire = postgres.start(dossier / "base", durable=True)
        # La préparation donne ce mot de passe au compte du service : il ne vaut que le temps de ce lancement.
        services["DATABASE_URL"] = compte_du_service.get_url(proprietaire, secrets.token_urlsafe(32))
        preparation = {"DATABASE_URL": proprietaire, "DATABASE_URL_DU_SERVICE": services["DATABASE_URL"]}
    if "REDIS_URL" not in services:
        pile.callback(valkey.stop, dossier / "courtier")
        services["REDIS_URL"] = valkey.start(dossier / "courtier")
    return services, preparation


def _list_services(dossier: Path, services: Mapping[str, str]) -> dict[str, Service]:
    """La base et le courtier que nous avons lancés : eux aussi se relancent, à la même adresse."""
    base, courtier = dossier / "base", dossier / "courtier"
    notres = {
        "base": Service(lambda: postgres.is_alive(base), lambda: postgres.start(base, durable=True)),
        "courtier": Service(lambda: valkey.is_alive(courtier), lambda: valkey.start(courtier, services["REDIS_URL"])),
    }
    recus = {"base": "DATABASE_URL", "courtier": "REDIS_URL"}
    return {nom: service for nom, service in notres.items() if not os.environ.get(recus[nom])}


def _get_preparation(dossier: Path) -> list[str]:
    """La base que nous apportons est à la démonstration, si vieille soit-elle ; celle qu'on nous donne le prouve."""
    embarquee = [] if os.environ.get("DATABASE_URL") else ["--embarquee"]
    return [sys.executable, "-m", "outils.preparation", "--comptes", str(dossier / "comptes.json"), *embarquee]


def _list_commands(dossier: Path, ports: Ports, smtp: int | None) -> dict[str, list[str]]:
    """Un processus par rôle, comme en production, plus le PayZen simulé et l'attrape-courriel."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "caf_remboursement"]
    journal = ["--loglevel", "WARNING"]
    ecoute = ["--bind", f"127.0.0.1:{ports.service}", "--preload", "--workers", "2", "--threads", "4"]
    commandes = {
        "site": [
            *python,
            "gunicorn",
            "caf_remboursement.wsgi",
            *ecoute,
            "--no-control-socket",
            "--graceful-timeout",
            "5",
        ],
        **{
            f"taches-{file}": [*celery, "worker", "-Q", file, "-n", file, *combien, *journal]
            for file, combien in OUVRIERS.items()
        },
        "calendrier": [*celery, "beat", "--schedule", str(dossier / "calendrier"), "--pidfile", "", *journal],
        "payzen": [*python, "simulateur_payzen", "serveur", "--port", str(ports.simulateur)],
    }
    if smtp:
        options = ["--smtp", str(smtp), "--port", str(ports.courriel), "--dossier", str(dossier / "courriels")]
        commandes["courriels"] = [*python, "outils.courriels", *options]
    return commandes


def _wait_ready(equipe: Equipe, ports: Ports, redis_url: str) -> None:
    """
    Attend que chacun réponde.

    :raises Empechement: si l'un meurt, ou si le délai passe
    """
    pages = {"site": ports.service, "payzen": ports.simulateur, "courriels": ports.courriel}
    with Celery(broker=redis_url) as celery:
        # `limit` : l'appel revient quand tous ont répondu, au lieu d'attendre des réponses de plus pendant sa seconde.
        attendus = {
            nom: lambda port=port: _is_answering(port) for nom, port in pages.items() if nom in equipe.processus
        } | {"taches-argent": lambda: len(celery.control.ping(limit=len(OUVRIERS))) == len(OUVRIERS)}
        for nom, repond in attendus.items():
            # La fonction est lue aussitôt, dans le même tour de boucle.
            vivant = wait_until(lambda: repond() or equipe.find_dead() is not None, DELAI_DEMARRAGE)  # noqa: B023
            if mort := equipe.find_dead():
                raise _explain_death(equipe, mort)
            if not vivant:
                raise Empechement(f"« {nom} » ne répond pas. Son journal : {equipe.get_log(nom)}")


def _is_answering(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/sante/", timeout=5) as reponse:
            return bool(reponse.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _explain_death(equipe: Equipe, nom: str) -> Empechement:
    """Pourquoi un processus est mort, d'après la fin de son journal."""
    journal = equipe.get_log(nom)
    fin = journal.read_text(errors="replace")[-1500:].strip() if journal.exists() else ""
    # Sur un disque plein, le journal lui-même n'a pas pu s'écrire.
    if is_disk_full(fin) or get_free_space(equipe.journaux) < 5:
        return Empechement(DISQUE_PLEIN)
    return Empechement(f"« {nom} » s'est arrêté tout seul. Fin de son journal ({equipe.get_log(nom)}) :\n{fin}")


def _announce(dossier: Path, ports: Ports, *, catch: bool) -> None:
    """Écrit acces.json, et dit en clair où aller et quoi essayer."""
    adresses = {
        "service": f"http://127.0.0.1:{ports.service}/",
        "agents": f"http://127.0.0.1:{ports.service}/agents/",
        "simulateur": f"http://127.0.0.1:{ports.simulateur}/vads-merchant/",
    }
    if catch:
        adresses["courriels"] = f"http://127.0.0.1:{ports.courriel}/"
    comptes = json.loads((dossier / "comptes.json").read_text())
    write_private(
        dossier / "acces.json", json.dumps({"adresses": adresses, "comptes": comptes}, ensure_ascii=False, indent=2)
    )
    print(_describe(adresses, comptes, dossier), flush=True)


def _describe(adresses: Mapping[str, str], comptes: list[dict[str, str]], dossier: Path) -> str:
    """Le texte d'accueil : adresses, comptes, et un premier essai."""
    libelles = {
        "service": "Le site des allocataires",
        "agents": "Le bureau des agents",
        "simulateur": "Le PayZen simulé",
        "courriels": "Les courriels envoyés",
    }
    lignes = ["", *(f"  {libelles[nom]:<26}{adresse}" for nom, adresse in adresses.items()), "", "Comptes d'essai :"]
    for compte in comptes:
        lignes += ["", f"  {compte['role']}"]
        lignes += [f"    identifiant   {compte['identifiant']}", f"    mot de passe  {compte['mot_de_passe']}"]
        if "secret_totp" in compte:
            lignes.append(f"    clé à saisir dans une application de codes à usage unique  {compte['secret_totp']}")
    lignes += [
        "",
        "À essayer : connectez-vous en allocataire, choisissez une dette, indiquez un montant, payez avec une carte",
        "du PayZen simulé, puis lisez le ticket reçu par courriel et regardez le solde baisser.",
        "",
        "Pour voir une demande « enregistrée » et son bandeau aussi longtemps que vous voulez : payez 100 € ou plus.",
        "La vérification attend alors l'agent de gestion, au bureau : Paiements, puis « Confirmer la vérification ».",
        "Pour les autres montants, la Caf peut prendre une minute : make demo VERIFICATION=60",
        "",
        f"Ces accès sont aussi dans {dossier / 'acces.json'}. Ctrl-C arrête tout ; make demo-neuve repart de zéro.",
        "",
        f"Prêt : {adresses['service']}",
    ]
    return "\n".join(lignes)


if __name__ == "__main__":
    main()
