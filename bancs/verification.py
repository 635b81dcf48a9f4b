"""
La vérification d'un paiement ordinaire : ce qu'elle demande à la base, et ce qu'elle coûte.

La plateforme est un autre processus, qui répond aussitôt. L'étalon est l'appel seul, par la même session HTTP gardée.
"""

import os

from outils.systeme import find_port, wait_until

PLATEFORME = find_port()
os.environ["NIVEAU_JOURNAL"] = "ERROR"
os.environ["PAYZEN_URL_API"] = f"http://127.0.0.1:{PLATEFORME}/"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
import django

django.setup()

import json
import socket
import statistics
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bancs.mesure import TOURS, Ligne, dire, get_cpu
from bancs.notification import ouvrir, signer
from bancs.rafale import repondre
from paiements import liaisons
from paiements.models import Paiement
from paiements.payzen import read_notification
from paiements.reception.porter import Recu, porter
from paiements.surveillance.invariants import verifier
from paiements.verification.interroger import interroger

PAR_TOUR = int(os.environ.get("PAR_TOUR", "100"))


def lancer_la_plateforme(paiements: list[Paiement]) -> subprocess.Popen[bytes]:
    commandes = Path(os.environ["BANCS_DOSSIER"]) / "a-verifier.json"
    commandes.write_text(json.dumps({paiement.reference: repondre(paiement) for paiement in paiements}))
    processus = subprocess.Popen([sys.executable, "-m", "bancs.plateforme", str(PLATEFORME), "0", str(commandes)])
    assert wait_until(_ecoute, 60), "la plateforme ne répond pas"
    return processus


def _ecoute() -> bool:
    with socket.socket() as prise:
        return prise.connect_ex(("127.0.0.1", PLATEFORME)) == 0


def accepter(paiement: Paiement) -> None:
    recue = read_notification(signer(paiement), settings.PAYZEN_BOUTIQUES)
    porter([Recu(recue.fait, recue.champs)])


def mesurer(paiements: list[Paiement]) -> tuple[float, float]:
    """Le temps de processeur d'une vérification, et celui de l'appel seul, en secondes."""
    debut = get_cpu()
    for paiement in paiements:
        liaisons.get_client(paiement.boutique, paiement.mode).get_order(paiement.reference)
    appel, debut = get_cpu() - debut, get_cpu()
    for paiement in paiements:
        interroger(paiement.pk)
    return (get_cpu() - debut) / len(paiements), appel / len(paiements)


def main() -> None:
    *paiements, dernier = ouvrir(PAR_TOUR * (TOURS + 1) + 1)
    for paiement in (*paiements, dernier):
        accepter(paiement)
    connection.settings_dict["CONN_MAX_AGE"] = None
    plateforme = lancer_la_plateforme([*paiements, dernier])
    try:
        tours = [mesurer(paiements[rang * PAR_TOUR : (rang + 1) * PAR_TOUR]) for rang in range(TOURS + 1)][1:]
        with CaptureQueriesContext(connection) as ordres:
            interroger(dernier.pk)
    finally:
        plateforme.terminate()
        plateforme.wait()
    cles = [paiement.pk for paiement in (*paiements, dernier)]
    assert not Paiement.objects.filter(pk__in=cles).exclude(statut="VERIFIE").exists(), "chacun est vérifié"
    violations = [v for v in verifier() if v.invariant.nom != "rien_en_retard"]
    assert not violations, violations[:5]
    ordres_seuls = [ordre for ordre in ordres if ordre["sql"] not in ("BEGIN", "COMMIT")]
    limite = statistics.median(appel for _, appel in tours) * 1000
    dire(Ligne("Vérification d'un paiement : ordres SQL", [len(ordres_seuls)], 8, note="BEGIN et COMMIT en plus"))
    dire(Ligne("Vérification d'un paiement, Python, en ms", [temps * 1000 for temps, _ in tours], 5, limite))


if __name__ == "__main__":
    main()
