"""
Tous les bancs, ou ceux que l'on nomme : `make bancs`, `make bancs ARGS=notification`.

Une base durable, un courtier et les données d'exemple, faits pour l'occasion et jetés après ; chaque banc est un
programme, qui imprime ses lignes. Le verdict porte sur la médiane des rapports, jamais sur une durée.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bancs.mesure import Ligne
from outils import postgres, valkey
from outils.demo_reglages import Ports, build_environment
from outils.processus import Equipe
from outils.systeme import RACINE, Empechement, find_port, readable_errors, remove_tree

# La rafale d'abord, la vérification après l'imputation : chacune ferait aussi ce que l'autre laisse à faire.
BANCS = (
    "rafale",
    "pages",
    "debit",
    "notification",
    "latence",
    "imputation",
    "fichiers",
    "verification",
    "documents",
    "demarrage",
    "demonstration",
)
BORNE_S = 600  # large : un banc en prend moins de deux minutes sur une machine calme
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
RESULTATS = RACINE / "bancs" / "RESULTATS.md"
ENTETE = """| mesure | nous (min / médiane / max) | limite proche | façon ordinaire | but | verdict |
|---|---|---|---|---|---|"""


def main() -> None:
    """Lance les bancs demandés, imprime le tableau ; sort en échec si l'un d'eux n'a pas fait son travail."""
    analyseur = argparse.ArgumentParser(prog="python -m bancs", description=__doc__)
    analyseur.add_argument("noms", nargs="*", metavar="banc", help=f"parmi {', '.join(BANCS)} ; tous à défaut")
    analyseur.add_argument("--garder", action="store_true", help=f"ajoute le tableau, daté, à {RESULTATS.name}")
    choix = analyseur.parse_args()
    with readable_errors(), ExitStack() as pile:
        if inconnus := set(choix.noms) - set(BANCS):
            raise Empechement(f"banc inconnu : {', '.join(sorted(inconnus))}. Il y a {', '.join(BANCS)}.")
        environnement = preparer(pile)
        lignes = [ligne for nom in choix.noms or BANCS for ligne in lancer(nom, environnement)]
        tableau = "\n".join([ENTETE, *(ecrire(ligne) for ligne in lignes)])
        print(tableau)
        if choix.garder:
            with RESULTATS.open("a") as fichier:
                fichier.write(f"\n## {datetime.now(UTC):%d/%m/%Y %H:%M} UTC, {_get_commit()}\n\n{tableau}\n")


def preparer(pile: ExitStack) -> dict[str, str]:
    """Base durable, courtier, données d'exemple ; rend l'environnement des programmes."""
    dossier = Path(tempfile.mkdtemp(prefix="rembourser-bancs-"))
    dossier.chmod(0o711)  # le compte de PostgreSQL n'est pas toujours le nôtre
    pile.callback(remove_tree, dossier)
    pile.callback(postgres.erase, dossier / "base")
    base = postgres.start(dossier / "base", durable=True)
    with psycopg.connect(base) as connexion:
        reglages = {nom: connexion.execute(f"SHOW {nom}").fetchone() for nom in DURABLE}
    if any(reglage != ("on",) for reglage in reglages.values()):
        raise Empechement(f"une mesure sans durabilité ne veut rien dire : {reglages}")
    pile.callback(valkey.stop, dossier / "courtier")
    services = {"DATABASE_URL": base, "REDIS_URL": valkey.start(dossier / "courtier"), "EMAIL_URL": "memorymail://"}
    environnement = build_environment(dossier, Ports(find_port(), find_port(), find_port()), services)
    environnement |= {"BANCS_DOSSIER": str(dossier), "DJANGO_SETTINGS_MODULE": "caf_remboursement.settings"}
    equipe = Equipe(dossier / "journaux", environnement, RACINE)
    pile.callback(equipe.stop)
    print("Préparation…", file=sys.stderr, flush=True)
    preparation = [sys.executable, "-m", "outils.preparation", "--comptes", str(dossier / "comptes.json")]
    if not equipe.run("preparation", preparation):
        raise Empechement(equipe.get_log("preparation").read_text()[-2000:])
    return environnement


def lancer(nom: str, environnement: dict[str, str]) -> list[Ligne]:
    """Joue un banc ; rend ses lignes. Un effet faux ou manquant l'arrête, et nous avec."""
    print(f"{nom}…", file=sys.stderr, flush=True)
    depart = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", f"bancs.{nom}"],
        cwd=RACINE,
        env=environnement,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as banc:
        try:
            dit, _ = banc.communicate(timeout=BORNE_S)
        except BaseException as echec:
            os.killpg(banc.pid, signal.SIGTERM)  # les siens avec lui
            if isinstance(echec, subprocess.TimeoutExpired):
                raise Empechement(f"le banc « {nom} » n'a pas fini en {BORNE_S} s : machine prise ?") from echec
            raise
    print(f"{nom} : {time.monotonic() - depart:.0f} s", file=sys.stderr, flush=True)
    if banc.returncode:
        raise Empechement(f"le banc « {nom} » n'a pas fait son travail :\n{dit[-2000:]}")
    return [Ligne(**json.loads(ligne[5:])) for ligne in dit.splitlines() if ligne.startswith("LIGNE")]


def ecrire(ligne: Ligne) -> str:
    """Une ligne du tableau."""
    bas, haut = min(ligne.nous), max(ligne.nous)
    autres = [f"{valeur:.2f}" if valeur is not None else "—" for valeur in (ligne.limite, ligne.pair)]
    signe = "≥" if ligne.plus_haut_est_mieux else "≤"
    verdict = "tenu" if ligne.is_tenue else "non"
    note = f" ({ligne.note})" if ligne.note else ""
    return (
        f"| {ligne.nom}{note} | {bas:.2f} / **{ligne.mediane:.2f}** / {haut:.2f} | {autres[0]} | {autres[1]}"
        f" | {signe} {ligne.but:g} | {verdict} |"
    )


def _get_commit() -> str:
    fait = subprocess.run(
        ["/usr/bin/git", "describe", "--always", "--dirty"], cwd=RACINE, capture_output=True, text=True, check=False
    )
    return f"{fait.stdout.strip() or 'sans git'}, {os.cpu_count()} cœurs, charge {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
