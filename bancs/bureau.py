"""
Le bureau à l'échelle : une Caf d'un million de dettes et de deux cent mille paiements, chaque page et son plan.

    python -m bancs.bureau [--dettes 1000000] [--paiements 200000]

Lance sa propre base, la remplit par lots, demande chaque page comme le ferait un agent de gestion de cette seule Caf,
et imprime : requêtes, temps du serveur (médiane de cinq, en ms), pire requête, et le premier nœud de son plan. Sort en
1 si une page dépasse 300 ms, ou si un plan lit une grande table en entier.
"""

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outils import postgres, valkey
from outils.pytest_services import VARIABLES
from outils.systeme import remove_tree

LIMITE = 300  # ms de serveur
TOURS = 5
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
    dossier = Path(tempfile.mkdtemp(prefix="banc-bureau-"))
    dossier.chmod(0o711)
    try:
        for nom, valeur in VARIABLES.items():
            os.environ.setdefault(nom, valeur)
        os.environ["DATABASE_URL"] = postgres.start(dossier / "base", durable=False)
        os.environ["REDIS_URL"] = valkey.start(dossier / "courtier")
        os.environ["DJANGO_SETTINGS_MODULE"] = "caf_remboursement.settings"
        fautes = _mesurer(taille.dettes, taille.paiements)
    finally:
        valkey.stop(dossier / "courtier")
        postgres.erase(dossier / "base")
        remove_tree(dossier)
    print(json.dumps({"nom": "bureau", "dettes": taille.dettes, "paiements": taille.paiements, "fautes": fautes}))
    sys.exit(1 if fautes else 0)


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
    from django.test import Client

    from bancs import jeu_bureau

    call_command("migrate", verbosity=0)
    depart = time.monotonic()
    jeu_bureau.remplir(dettes, paiements)
    print(f"jeu rempli en {time.monotonic() - depart:.0f} s")
    client = Client()
    jeu_bureau.entrer(client)
    print(f"{'page':<44} {'code':>4} {'req.':>4} {'ms':>6} {'pire':>6}  plan de la pire")
    return [faute for nom, demande in jeu_bureau.lister_les_pages() for faute in _regarder(client, nom, demande)]


def _regarder(client: Any, nom: str, demande: Any) -> Iterator[str]:
    temps = []
    for tour in range(TOURS + 1):
        depart = time.perf_counter()
        reponse = demande(client)
        if hasattr(reponse, "streaming_content"):
            _ = sum(len(morceau) for morceau in reponse.streaming_content)
        if tour:
            temps.append((time.perf_counter() - depart) * 1000)
    requetes = _ecouter(client, demande)
    pire = max(requetes, key=lambda requete: requete[1], default=("", 0.0))
    mediane = statistics.median(temps)
    plans = [_expliquer(sql) for sql, _ in requetes]
    premier = _expliquer(pire[0]).partition("\n")[0].partition("  (")[0]
    print(
        f"{nom:<44} {reponse.status_code:>4} {len(requetes):>4} {mediane:>6.0f} {pire[1]:>6.0f}  {premier}", flush=True
    )
    if reponse.status_code >= 400:
        yield f"{nom} : {reponse.status_code}"
    if mediane >= LIMITE:
        yield f"{nom} : {mediane:.0f} ms"
    for table in sorted({lue for plan in plans for lue in re.findall(r"Seq Scan on (\w+)", plan) if lue in GRANDES}):
        yield f"{nom} : lit {table} en entier"


def _ecouter(client: Any, demande: Any) -> list[tuple[str, float]]:
    """Les lectures d'une page, et le temps de chacune, en ms."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as entendues:
        reponse = demande(client)
        if hasattr(reponse, "streaming_content"):
            _ = sum(len(morceau) for morceau in reponse.streaming_content)
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
