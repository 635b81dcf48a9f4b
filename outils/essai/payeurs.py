"""Des personnes qui paient sans cesse pendant qu'on casse la machine, et les deux livres comparés à la fin."""

import json
import secrets
import subprocess
import sys
import time
from collections import Counter

import requests

from outils.essai.conduite import ETC, NOM, Machine, dire, exiger
from outils.systeme import RACINE, wait_until

PAYEURS = 4
GUERISON_S = 900
# Un seul mot de passe, haché une fois : c'est l'argent que l'on éprouve, non les portes.
OUVRIR = """
import json
from django.contrib.auth.hashers import make_password
from comptes.models import Utilisateur
from django.db.models import Sum
qui = Utilisateur.objects.filter(allocataire__caf="661")
riches = qui.annotate(du=Sum("allocataire__dettes__solde")).filter(du__gte=50).order_by("-du", "pk")
qui.update(password=make_password({mot_de_passe!r}))
print("PERSONNES" + json.dumps(list(riches.values_list("identifiant", flat=True))))
"""
TICKETS_DUS = "SELECT count(*) FROM paiements_ticket WHERE etat = 'A_ENVOYER'"
Payeurs = list["subprocess.Popen[str]"]
Faits = list[tuple[str, float, str]]


def ouvrir_les_comptes(machine: Machine) -> tuple[str, list[str]]:
    """Le mot de passe de toutes les personnes de la Caf 661, et leurs identifiants, la plus endettée d'abord."""
    mot_de_passe = secrets.token_urlsafe(24)
    ouvrir = OUVRIR.format(mot_de_passe=mot_de_passe)
    return mot_de_passe, json.loads(machine.gerer("shell", "--verbosity", "0", "-c", ouvrir).partition("PERSONNES")[2])


def payer_a_plusieurs(machine: Machine, combien: int, jusqu_a: float) -> Payeurs:
    """Elles paient un euro après l'autre, par les vraies pages, `combien` en tout au plus, jusqu'à un instant."""
    mot_de_passe, personnes = ouvrir_les_comptes(machine)
    payeur = [sys.executable, "-m", "outils.essai.payeur", f"https://{NOM}", str(ETC / "tls/certificat.pem")]
    payeurs = [
        subprocess.Popen(
            [*payeur, mot_de_passe, str(combien // PAYEURS), str(jusqu_a), *personnes[rang::PAYEURS]],
            cwd=RACINE,
            stdout=(ETC / f"payeur-{rang}").open("w"),
            text=True,
        )
        for rang in range(PAYEURS)
    ]
    for payeur_lance in payeurs:
        machine.pile.callback(payeur_lance.kill)
    return payeurs


def lire_les_faits() -> Faits:
    """Tout ce qu'elles ont dit jusqu'ici : (mot, instant, référence ou pourquoi)."""
    lignes = [ligne.split() for rang in range(PAYEURS) for ligne in (ETC / f"payeur-{rang}").read_text().splitlines()]
    return [(ligne[0], float(ligne[1]), ligne[2]) for ligne in lignes if len(ligne) == 3]


def ecouter(payeurs: Payeurs) -> Faits:
    """Attend qu'elles aient fini ; rend ce qu'elles ont dit."""
    for payeur in payeurs:
        exiger(payeur.wait() == 0, "une personne s'est arrêtée sur une faute de l'essai")
    return lire_les_faits()


def lister_les_debits(machine: Machine) -> dict[str, int]:
    """Ce que la plateforme tient, en centimes, par référence."""
    reponse = requests.get(f"http://127.0.0.1:{machine.simulateur}/controle/transactions/", timeout=120).json()
    debits: Counter[str] = Counter()
    for t in reponse["transactions"]:
        if t["operation"] == "DEBIT" and t["statut"] in ("AUTHORISED", "CAPTURED"):
            debits[t["order_id"]] += t["montant"]
    return dict(debits)


def lister_les_imputes(machine: Machine) -> dict[str, int]:
    """Ce que nos dettes ont baissé, en centimes, par référence."""
    lignes = machine.demander(
        "SELECT p.reference, (sum(i.montant) * 100)::int FROM paiements_paiement p"
        " JOIN paiements_imputation i ON i.paiement_id = p.id GROUP BY 1"
    )
    return {reference: int(somme) for reference, somme in (ligne.split("|") for ligne in lignes.splitlines())}


def comparer(machine: Machine, faits: Faits) -> None:
    """Ce que la plateforme a débité est sur les dettes, une fois, au centime ; rien d'autre ; et rien à faire."""
    payes = {reference for mot, _, reference in faits if mot == "PAYE"}
    refus = Counter(pourquoi for mot, _, pourquoi in faits if mot == "REFUS")
    partis = sum(mot == "PARTI" for mot, _, _ in faits)
    dire(f"{partis} paiements partis, {len(payes)} reçus montrés ; refus redemandés : {dict(refus)}")
    debits = lister_les_debits(machine)
    exiger(payes <= set(debits), "la plateforme a perdu un débit : c'est l'essai qui est faux")
    egaux = wait_until(lambda: lister_les_imputes(machine) == debits, GUERISON_S)
    imputes = lister_les_imputes(machine)
    perdus = [r for r in debits if r not in imputes]
    doubles = [r for r, somme in imputes.items() if somme > debits.get(r, 0)]
    dire(f"plateforme {sum(debits.values())} centimes, imputé {sum(imputes.values())} centimes")
    dire(f"{len(debits)} débits : {len(perdus)} perdus {perdus[:5]}, {len(doubles)} doublés {doubles[:5]}")
    exiger(egaux, "les deux livres ne sont pas égaux")
    debut = time.monotonic()
    exiger(wait_until(lambda: machine.demander(TICKETS_DUS) == "0", GUERISON_S), "des tickets ne partent pas")
    dire(f"tous les tickets sont partis {time.monotonic() - debut:.0f} s après")
    dire(machine.gerer("verifier_invariants").strip())
