"""
`verifier_invariants` à l'échelle : sa durée, et la mémoire qu'il prend, invariant par invariant.

    python -m bancs.invariants [--dettes 1000000] [--paiements 200000]

Sur le jeu du bureau, qui n'a pas d'histoire : des invariants y sont violés, et c'est le pire cas (tout se lit).
"""

import argparse
import resource
import time
from pathlib import Path

from bancs.bureau import ouvrir_une_base


def main() -> None:
    analyseur = argparse.ArgumentParser(prog="python -m bancs.invariants", description=__doc__)
    analyseur.add_argument("--dettes", type=int, default=1_000_000)
    analyseur.add_argument("--paiements", type=int, default=200_000)
    taille = analyseur.parse_args()
    with ouvrir_une_base():
        _mesurer(taille.dettes, taille.paiements)


def _mesurer(dettes: int, paiements: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from bancs import jeu_bureau
    from paiements.surveillance.invariants import regarder

    call_command("migrate", verbosity=0)
    depart = time.monotonic()
    jeu_bureau.remplir(dettes, paiements)
    print(f"jeu rempli en {time.monotonic() - depart:.0f} s", flush=True)
    connection.ensure_connection()
    session = Path(f"/proc/{connection.connection.info.backend_pid}/status")
    debut = depart = time.monotonic()
    for invariant, violations in regarder():
        print(f"{invariant.nom:<40} {time.monotonic() - depart:>7.1f} s  {len(violations)} violation(s)", flush=True)
        depart = time.monotonic()
    pointe = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    lignes = dict(ligne.split(":", 1) for ligne in session.read_text().splitlines())
    print(f"en tout {time.monotonic() - debut:.0f} s ; Python {pointe} Mo, PostgreSQL {lignes['VmHWM'].strip()}")


if __name__ == "__main__":
    main()
