"""
Une rafale d'accords : de la notification au ticket parti, par les vrais processus.

Un gunicorn, un ouvrier par file, le planificateur, un attrape-courriel, et une plateforme hors de nous qui répond en un
quart de seconde. Trois paiements sur cinq ont un ticket. On compte les paiements imputés et les tickets partis, par
seconde depuis la première notification ; c'est une durée, elle ne se compare que sur une machine calme.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

os.environ["NIVEAU_JOURNAL"] = "ERROR"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
import django

django.setup()

from django.db import connection

from bancs.charge import Demande, envoyer_a_l_heure, get_centile, ouvrir_le_web
from bancs.mesure import Ligne, dire
from bancs.notification import CHEMIN, ouvrir, poster, signer
from outils.systeme import find_port, wait_until
from paiements.models import EtapePaiement, Paiement, Ticket
from paiements.payzen import to_centimes
from paiements.surveillance.invariants import verifier

RAFALE = int(os.environ.get("RAFALE", "1000"))
REGULIERS, PAR_SECONDE = int(os.environ.get("REGULIERS", "200")), 10
LATENCE_S = 0.25
# Ceux de la production (`deploiement/systemd/`).
OUVRIERS = {
    "argent": ("--concurrency", "2"),
    "payzen": ("--pool", "threads", "--concurrency", "16"),
    "tickets": ("--concurrency", "2"),
}
DELAI_S = 900  # un échec seulement : large, pour une machine prise


def repondre(paiement: Paiement) -> dict[str, object]:
    """Ce que rend `Order/Get` d'un débit accepté (PROTOCOLE §6.3)."""
    transaction = {
        "shopId": paiement.boutique,
        "uuid": f"{paiement.pk:032x}",
        "detailedStatus": "AUTHORISED",
        "operationType": "DEBIT",
        "amount": to_centimes(paiement.montant),
        "currency": "EUR",
        "creationDate": paiement.cree_le.isoformat(),
        "orderDetails": {"orderId": paiement.reference, "mode": paiement.mode},
        "transactionDetails": {"sequenceNumber": 1, "cardDetails": {"legacyTransId": paiement.trans_id}},
    }
    answer = {"shopId": paiement.boutique, "transactions": [transaction]}
    return {"status": "SUCCESS", "mode": paiement.mode, "answer": answer}


def lancer(pile: ExitStack, paiements: list[Paiement]) -> int:
    """Tous les processus, arrêtés avec la pile ; rend le port du web."""
    dossier = Path(os.environ["BANCS_DOSSIER"])
    smtp, plateforme = find_port(), find_port()
    commandes = dossier / "commandes.json"
    commandes.write_text(json.dumps({paiement.reference: repondre(paiement) for paiement in paiements}))
    os.environ["PAYZEN_URL_API"] = f"http://127.0.0.1:{plateforme}/"
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{smtp}"
    celery = ["celery", "-A", "caf_remboursement"]
    modules = [
        ["bancs.plateforme", str(plateforme), str(LATENCE_S), str(commandes)],
        ["outils.courriels", "--smtp", str(smtp), "--port", str(find_port()), "--dossier", str(dossier / "courriels")],
        *(
            [*celery, "worker", "-Q", file, "-n", file, *combien, "--loglevel", "ERROR"]
            for file, combien in OUVRIERS.items()
        ),
        [*celery, "beat", "--schedule", str(dossier / "calendrier"), "--pidfile", "", "--loglevel", "ERROR"],
    ]
    for module in modules:
        processus = subprocess.Popen([sys.executable, "-W", "ignore", "-m", *module], stdout=subprocess.DEVNULL)
        pile.callback(lambda processus=processus: (processus.terminate(), processus.wait()))
    return pile.enter_context(ouvrir_le_web())[0]


def attendre(paiements: list[Paiement], debut: float) -> float:
    """Attend que tout soit imputé et que chaque ticket soit parti ; rend les secondes écoulées."""
    cles = [paiement.pk for paiement in paiements]

    def finis() -> bool:
        imputes = Paiement.objects.filter(pk__in=cles, statut="IMPUTE").count()
        partis = Ticket.objects.filter(paiement__in=cles, etat="ENVOYE").count()
        return imputes == len(cles) and partis == sum(1 for rang in range(len(cles)) if rang % 5 < 3)

    # Deux comptes de mille clés, vingt fois par seconde, prendraient le dixième de ce que l'on mesure.
    assert wait_until(finis, DELAI_S, pause=0.5), "tout n'a pas été imputé et envoyé à temps"
    return time.monotonic() - debut


def lire_les_delais(paiements: list[Paiement]) -> list[float]:
    """De l'accord à l'imputation, en secondes, du plus court au plus long."""
    etapes = EtapePaiement.objects.filter(paiement__in=paiements, vers__in=["ACCEPTE", "IMPUTE"])
    heures: dict[int, dict[str, float]] = {}
    for paiement, vers, le in etapes.values_list("paiement_id", "vers", "le"):
        heures.setdefault(paiement, {})[vers] = le.timestamp()
    return sorted(dites["IMPUTE"] - dites["ACCEPTE"] for dites in heures.values())


def main() -> None:
    with ExitStack() as pile:
        premiers, reguliers, rafale = ouvrir(5, 5), ouvrir(REGULIERS, REGULIERS), ouvrir(RAFALE, RAFALE)
        port = lancer(pile, premiers + reguliers + rafale)
        # Le web répond avant que les ouvriers soient prêts : ce n'est pas leur départ que l'on mesure.
        poster(port, [Demande(CHEMIN, signer(paiement)) for paiement in premiers])
        attendre(premiers, time.monotonic())
        debut = time.monotonic()
        envoyer_a_l_heure(port, [Demande(CHEMIN, signer(paiement)) for paiement in reguliers], PAR_SECONDE)
        attendre(reguliers, debut)
        regulier = get_centile(lire_les_delais(reguliers), 95)
        debut = time.monotonic()
        poster(port, [Demande(CHEMIN, signer(paiement)) for paiement in rafale])
        duree = attendre(rafale, debut)
        age = get_centile(lire_les_delais(rafale), 95)
    connection.close()
    violations = list(verifier())
    assert not violations, violations[:5]
    note = f"{RAFALE} accords, plateforme à {LATENCE_S * 1000:.0f} ms, {duree:.0f} s"
    dire(
        Ligne(
            "Rafale : paiements imputés et tickets partis, par seconde",
            [RAFALE / duree],
            35,
            note=note,
            plus_haut_est_mieux=True,
        )
    )
    dire(Ligne("Rafale : de l'accord à l'imputation, p95 en secondes", [age], 60))
    dire(Ligne(f"À {PAR_SECONDE}/s : de l'accord à l'imputation, p95 en secondes", [regulier], 3))


if __name__ == "__main__":
    main()
