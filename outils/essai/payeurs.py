"""Des personnes qui paient sans cesse pendant qu'on casse la machine, et les deux livres comparés à la fin."""

import subprocess
import time

import requests

from outils.essai.conduite import CARTE, Machine, dire, exiger

PAYEURS = 4
PAYER = """
import requests, time
from decimal import Decimal
from django.db import connection
from django.db.models import Sum
from comptes.models import Utilisateur
from demarches import services as demarches
from paiements.depart import payer
personnes = Utilisateur.objects.filter(allocataire__caf="661").annotate(du=Sum("allocataire__dettes__solde"))
personne = personnes.filter(du__gt=0).order_by("-du", "pk")[{rang}]
def partir(rang):
    dettes = [dette for dette in demarches.get_dettes_de(personne.allocataire) if dette.disponible >= 2]
    demarche = demarches.enregistrer_informations(demarches.commencer(personne), courriel="")
    demarche = demarches.enregistrer_montants(demarche, {{dettes[rang % len(dettes)].pk: Decimal("1.00")}})
    return payer(demarche, empreinte_vue=demarches.empreinte(demarche))
rang = 0
while rang < {combien} and time.time() < {fin}:
    try:
        depart = partir(rang)
    except Exception as refus:  # la personne réessaie : base absente, ou récapitulatif à relire
        print("REFUS", time.time(), type(refus).__name__, flush=True)
        connection.close()
        time.sleep(0.2)
        continue
    print("PARTI", time.time(), depart.paiement.reference, flush=True)
    rang += 1
    web = requests.Session()
    try:
        page = web.post(depart.adresse, data=depart.champs, timeout=60)
        for saisie in ({{"marque": "CB"}}, {carte}):
            web.post(page.url, data=saisie, timeout=60)
    except requests.RequestException:  # la plateforme est morte pendant qu'elle payait : elle passe à la suivante
        time.sleep(0.2)
"""


def payer_a_plusieurs(machine: Machine, combien: int, secondes: float = 3600) -> list["subprocess.Popen[str]"]:
    """Elles paient un euro après l'autre, `combien` en tout au plus, et réessaient quand le service ne répond pas."""
    python, fin = "/srv/rembourser/courant/.venv/bin/python", time.time() + secondes
    scripts = [PAYER.format(rang=rang, combien=combien // PAYEURS, fin=fin, carte=CARTE) for rang in range(PAYEURS)]
    payeurs = [
        subprocess.Popen(
            [python, "manage.py", "shell", "--verbosity", "0", "-c", script],
            cwd="/srv/rembourser/courant",
            env=machine.environnement,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for script in scripts
    ]
    for payeur in payeurs:
        machine.pile.callback(payeur.kill)
    return payeurs


def ecouter(payeurs: list["subprocess.Popen[str]"]) -> list[list[str]]:
    """Attend qu'elles aient fini ; rend leurs lignes : (mot, instant, référence ou refus)."""
    return [ligne.split() for payeur in payeurs for ligne in payeur.communicate()[0].splitlines()]


def lister_les_debits(machine: Machine) -> dict[str, int]:
    """Ce que la plateforme tient, en centimes, par référence."""
    reponse = requests.get(f"http://127.0.0.1:{machine.simulateur}/controle/transactions/", timeout=60).json()
    debits: dict[str, int] = {}
    for t in reponse["transactions"]:
        if t["operation"] == "DEBIT" and t["statut"] in ("AUTHORISED", "CAPTURED"):
            debits[t["order_id"]] = debits.get(t["order_id"], 0) + t["montant"]
    return debits


def comparer(machine: Machine, faits: list[list[str]]) -> None:
    """Chaque paiement acquitté est là, imputé, une fois, au centime que la plateforme tient."""
    partis = [reference for mot, _, reference in faits if mot == "PARTI"]
    refus = [(float(instant), pourquoi) for mot, instant, pourquoi in faits if mot == "REFUS"]
    duree = max((i for i, _ in refus), default=0.0) - min((i for i, _ in refus), default=0.0)
    especes = ", ".join(sorted({pourquoi for _, pourquoi in refus}))
    dire(f"{len(partis)} paiements partis ; {len(refus)} refus en {duree:.1f} s : {especes}")
    dire(f"tous imputés en {machine.attendre_l_imputation(partis):.1f} s")
    tenus = lister_les_debits(machine)
    lignes = machine.demander(
        "SELECT p.reference, coalesce(sum(i.montant) * 100, 0)::int FROM paiements_paiement p"
        " LEFT JOIN paiements_imputation i ON i.paiement_id = p.id GROUP BY 1"
    )
    imputes = {reference: int(somme) for reference, somme in (ligne.split("|") for ligne in lignes.splitlines())}
    exiger({r: s for r, s in imputes.items() if s} == tenus, "les deux livres ne sont pas égaux")
    dire(f"plateforme {sum(tenus.values())} centimes, imputé {sum(imputes.values())} centimes")
    dire(machine.gerer("verifier_invariants").strip())
