"""
Le bureau à l'échelle : une Caf d'un million de dettes et de deux cent mille paiements, chaque page et son plan.

    python -m bancs.bureau [--dettes 1000000] [--paiements 200000]

Lance sa propre base, la remplit par lots, demande chaque page comme le ferait un agent de gestion de cette seule Caf,
et imprime : requêtes, temps du serveur (processeur de Python et de PostgreSQL, médiane, en ms : une machine chargée n'y
change rien), attente, pire requête, et le premier nœud de son plan ; puis ce que coûte d'emporter tous les paiements en
CSV. Sort en 1 si une page dépasse 300 ms, compte une grande table ou la lit en entier, ou si l'export prend de la mémoire
avec ses lignes.
"""

import argparse
import json
import os
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from outils import postgres, valkey
from outils.pytest_services import VARIABLES
from outils.systeme import remove_tree

LIMITE = 300  # ms de serveur
TOURS = 3
MEMOIRE = 32  # Mo de plus, au plus fort de l'export, que pour les deux mille premières lignes
GRANDES = (
    *("comptes_allocataire", "comptes_utilisateur", "comptes_evenement", "dettes_dette", "dettes_mouvement"),
    *("demarches_demarche", "demarches_lignedemarche", "paiements_paiement", "paiements_transactionpayzen"),
    *("paiements_imputation", "paiements_etapepaiement", "paiements_messagepayzen", "paiements_ticket"),
)


def main() -> None:
    analyseur = argparse.ArgumentParser(prog="python -m bancs.bureau", description=__doc__)
    analyseur.add_argument("--dettes", type=int, default=1_000_000)
    analyseur.add_argument("--paiements", type=int, default=200_000)
    taille = analyseur.parse_args()
    with ouvrir_une_base():
        fautes = _mesurer(taille.dettes, taille.paiements)
    print(json.dumps({"nom": "bureau", "dettes": taille.dettes, "paiements": taille.paiements, "fautes": fautes}))
    sys.exit(1 if fautes else 0)


@contextmanager
def ouvrir_une_base() -> Iterator[None]:
    """Une base et un courtier à nous, effacés ensuite ; Django n'est pas encore prêt."""
    dossier = Path(tempfile.mkdtemp(prefix="banc-bureau-"))
    dossier.chmod(0o711)
    try:
        for nom, valeur in VARIABLES.items():
            os.environ.setdefault(nom, valeur)
        os.environ["DATABASE_URL"] = postgres.start(dossier / "base", durable=False)
        os.environ["REDIS_URL"] = valkey.start(dossier / "courtier")
        os.environ["DJANGO_SETTINGS_MODULE"] = "caf_remboursement.settings"
        yield
    finally:
        valkey.stop(dossier / "courtier")
        postgres.erase(dossier / "base")
        remove_tree(dossier)


def _mesurer(dettes: int, paiements: int) -> list[str]:
    import django
    from django.conf import settings

    django.setup()
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "liste": "1000000/m/user"}
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from bancs import jeu_bureau

    call_command("migrate", verbosity=0)
    depart = time.monotonic()
    jeu_bureau.remplir(dettes, paiements)
    print(f"jeu rempli en {time.monotonic() - depart:.0f} s")
    with connection.cursor() as curseur:
        # Un ouvrier de plus ne se compterait pas.
        curseur.execute("ALTER ROLE CURRENT_USER SET max_parallel_workers_per_gather = 0")
    connection.close()
    client = Client()
    jeu_bureau.entrer(client)
    print(f"{'page':<44} {'code':>4} {'req.':>4} {'ms':>6} {'attente':>7} {'pire':>6}  plan de la pire")
    pages = [faute for nom, demande in jeu_bureau.lister_les_pages() for faute in _regarder(client, nom, demande)]
    return [*pages, *_emporter(client, jeu_bureau.EXPORT)]


def _emporter(client: Any, adresse: str) -> Iterator[str]:
    """Emporte tous les paiements, après en avoir emporté peu : la mémoire au plus fort ne dépend pas des lignes."""
    _lire(client.get(f"{adresse}?statut__exact=EXPIRE"))
    avant, depart = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    reponse = client.get(adresse)
    lignes = sum(morceau.count(b"\n") for morceau in reponse.streaming_content)
    duree = time.perf_counter() - depart
    de_plus = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - avant) / 1024
    print(f"export de {lignes} lignes : {duree:.1f} s, {de_plus:.1f} Mo de plus au plus fort", flush=True)
    if de_plus > MEMOIRE:
        yield f"export : {de_plus:.0f} Mo de plus"


def _get_travail() -> float:
    """Le processeur pris jusqu'ici par Python et par sa session de PostgreSQL, en ms."""
    from django.db import connection

    connection.ensure_connection()
    session = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return time.process_time() * 1000 + int(session.split()[0]) / 1e6


def _lire(reponse: Any) -> Any:
    """Lit une réponse jusqu'au bout, qu'elle vienne d'un coup ou au fil de l'eau."""
    if reponse.streaming:
        _ = sum(len(morceau) for morceau in reponse.streaming_content)
    return reponse


def _regarder(client: Any, nom: str, demande: Any) -> Iterator[str]:
    """Demande une page, l'imprime, et rend ce qui n'y va pas."""
    code, travail, attente = _chronometrer(client, demande)
    requetes = _ecouter(client, demande)
    pire = max(requetes, key=lambda requete: requete[1], default=("", 0.0))
    premier = _expliquer(pire[0]).partition("\n")[0].partition("  (")[0]
    print(
        f"{nom:<44} {code:>4} {len(requetes):>4} {travail:>6.0f} {attente:>7.0f} {pire[1]:>6.0f}  {premier}",
        flush=True,
    )
    if code >= 400:
        yield f"{nom} : {code}"
    if travail >= LIMITE:
        yield f"{nom} : {travail:.0f} ms"
    ordres = [sql for sql, _ in requetes]
    # L'accueil compte la journée d'une Caf, par ses index ; une liste ne compte rien.
    for table in _lister_les_comptees(ordres) if nom != "accueil" else ():
        yield f"{nom} : compte {table}"
    for table in _lister_les_lues(ordres):
        yield f"{nom} : lit {table} en entier"


def _chronometrer(client: Any, demande: Any) -> tuple[int, float, float]:
    """Le code de la page, son travail et son attente : la médiane, en ms, le premier tour non compté."""
    travaux, attentes = [], []
    for _ in range(TOURS + 1):
        depart, travail = time.perf_counter(), _get_travail()
        code: int = _lire(demande(client)).status_code
        travaux.append(_get_travail() - travail)
        attentes.append((time.perf_counter() - depart) * 1000)
    return code, statistics.median(travaux[1:]), statistics.median(attentes[1:])


def _lister_les_comptees(ordres: list[str]) -> list[str]:
    comptees = {table for sql in ordres for table in re.findall(r'COUNT\(\*\).* FROM "(\w+)"', sql)}
    return sorted(comptees & set(GRANDES))


def _lister_les_lues(ordres: list[str]) -> list[str]:
    """Les grandes tables que l'un de ces ordres lit d'un bout à l'autre."""
    lues = {table for sql in ordres for table in re.findall(r"Seq Scan on (\w+)", _expliquer(sql))}
    return sorted(lues & set(GRANDES))


def _ecouter(client: Any, demande: Any) -> list[tuple[str, float]]:
    """Les lectures d'une page, et le temps de chacune, en ms."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as entendues:
        _lire(demande(client))
    return [(r["sql"], float(r["time"]) * 1000) for r in entendues if r["sql"].startswith(("SELECT", "WITH"))]


def _expliquer(sql: str) -> str:
    from django.db import DatabaseError, connection, transaction

    if not sql:
        return ""
    try:
        with transaction.atomic(), connection.cursor() as curseur:
            curseur.execute("EXPLAIN " + sql.replace("%", "%%"), [])
            return "\n".join(ligne for (ligne,) in curseur.fetchall())
    except DatabaseError as erreur:
        return f"sans plan : {erreur}"


if __name__ == "__main__":
    main()
