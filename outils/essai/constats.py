"""
Rejouer sur une vraie machine ce qu'une épreuve du dehors a vu céder un jour : `python -m outils.essai.constats`.

Douze « Payer » à la fois sur des dettes tenues ; la plateforme lente, dont ni tickets ni santé ne doivent souffrir ;
une nuit sans courriel (ses délais vingt-cinq fois plus courts), d'où rien ne doit se perdre.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from outils.essai.conduite import ETC, NOM, dire, essayer, exiger
from outils.essai.epreuves import Epreuve
from outils.essai.installation import ouvrir
from outils.essai.payeur import Payeur, lire_les_caches
from outils.essai.payeurs import TICKETS_DUS, ouvrir_les_comptes
from outils.systeme import wait_until

CLICS, TENUE_S, NUIT_S = 12, 25, 90
PARTIS = "SELECT count(*) FROM paiements_ticket WHERE etat = 'ENVOYE'"
OUVERTES = "SELECT count(*) FROM paiements_anomalie WHERE etat = 'OUVERTE'"


def main() -> None:
    """Une machine, les trois constats, l'un après l'autre."""
    with ouvrir(Epreuve) as machine:
        rejouer(machine)


def rejouer(machine: Epreuve) -> None:
    """Douze personnes entrées, et les trois constats."""
    mot_de_passe, personnes = ouvrir_les_comptes(machine)
    payeurs = []
    for personne in personnes[:CLICS]:
        payeurs.append(Payeur(f"https://{NOM}", str(ETC / "tls/certificat.pem"), mot_de_passe))
        payeurs[-1].entrer(personne)
    cliquer_sur_des_dettes_tenues(machine, payeurs)
    ralentir_la_plateforme(machine, payeurs)
    passer_une_nuit_sans_courriel(machine, payeurs)
    dire(machine.gerer("verifier_invariants").strip())


def cliquer_sur_des_dettes_tenues(machine: Epreuve, payeurs: list[Payeur]) -> None:
    """Argent 2 : un autre tient toutes les dettes vingt-cinq secondes, et douze personnes paient."""
    recapitulatifs = [aller_au_recapitulatif(payeur) for payeur in payeurs]
    tenir = f"BEGIN; SELECT FROM dettes_dette FOR UPDATE; SELECT pg_sleep({TENUE_S}); COMMIT"
    verrou = threading.Thread(target=essayer, args=("psql", machine.proprietaire, "-qAt", "-c", tenir))
    verrou.start()
    time.sleep(2)
    with ThreadPoolExecutor(CLICS + 1) as ensemble:
        sondes = ensemble.submit(sonder_un_moment, machine, TENUE_S - 6)
        clics = [ensemble.submit(cliquer, payeur, page) for payeur, page in zip(payeurs, recapitulatifs, strict=True)]
        codes = [clic.result() for clic in clics]
        lente = sondes.result()
    verrou.join()
    dire(f"douze « Payer », dettes tenues : {sorted(c for c, _ in codes)}, au plus {max(s for _, s in codes):.1f} s")
    dire(f"santé pendant ce temps : au plus {lente:.1f} s")
    exiger({code for code, _ in codes} == {503}, "ni attente ni 503 : une panne s'est montrée")
    exiger(lente < 5, "la santé a attendu les dettes")
    for payeur, page in zip(payeurs, recapitulatifs, strict=True):
        exiger(cliquer(payeur, page)[0] == 200, "une fois les dettes rendues, « Payer » ne part pas")
    dire("dettes rendues : les douze partent")


def aller_au_recapitulatif(payeur: Payeur) -> requests.Response:
    """De la première page au récapitulatif."""
    page = payeur.ouvrir("GET", f"{payeur.adresse}/rembourser/")
    while "empreinte" not in (champs := lire_les_caches(page)):
        page = payeur.repondre(page, champs)
    return page


def cliquer(payeur: Payeur, page: requests.Response) -> tuple[int, float]:
    """Le code et les secondes d'un « Payer »."""
    reference, debut = page.url.rstrip("/").split("/")[-2], time.monotonic()
    reponse = payeur.web.post(
        f"{payeur.adresse}/paiements/{reference}/payer/",
        data=lire_les_caches(page),
        headers={"Referer": page.url},
        verify=payeur.certificat,
        timeout=60,
    )
    return reponse.status_code, time.monotonic() - debut


def sonder_un_moment(machine: Epreuve, secondes: float) -> float:
    """La plus longue réponse de /sante/, demandée aussi souvent que nginx l'accorde à une sonde."""
    fin, pire = time.monotonic() + secondes, 0.0
    while time.monotonic() < fin:
        debut = time.monotonic()
        exiger(machine.sonder("/sante/") == 200, "la santé ne répond plus")
        pire = max(pire, time.monotonic() - debut)
        time.sleep(0.25)
    return pire


def ralentir_la_plateforme(machine: Epreuve, payeurs: list[Payeur]) -> None:
    """Argent 4 : des tickets attendent leur courriel ; il revient quand chaque appel REST prend neuf secondes."""
    machine.relais["courriel"].regler("coupe")
    for payeur in payeurs:
        payeur.payer(time.time() + 60)
    exiger(wait_until(lambda: int(machine.interroger(TICKETS_DUS)) >= CLICS, 120), "les tickets ne se préparent pas")
    machine.regler_la_plateforme({}, {"rest": {"genre": "delai", "secondes": 9}})
    for payeur in payeurs:
        payeur.payer(time.time() + 60)
    avant, debut = int(machine.interroger(PARTIS)), time.monotonic()
    machine.relais["courriel"].regler("ouvert")
    partis = wait_until(lambda: int(machine.interroger(PARTIS)) >= avant + CLICS, 120)
    dire(f"plateforme à 9 s par appel : {CLICS} tickets partis en {time.monotonic() - debut:.1f} s")
    exiger(partis, "la plateforme lente retient les tickets")
    machine.regler_la_plateforme({}, {"rest": None})
    exiger(wait_until(lambda: machine.interroger(TICKETS_DUS) == "0", 240), "des tickets ne partent pas")
    dire(f"plateforme revenue : tout est imputé et parti en {time.monotonic() - debut:.1f} s")


def passer_une_nuit_sans_courriel(machine: Epreuve, payeurs: list[Payeur]) -> None:
    """Argent 4 bis : le courriel mort, des paiements ; il revient, et tout part seul."""
    machine.relais["courriel"].regler("coupe")
    for _ in range(2):
        for payeur in payeurs:
            payeur.payer(time.time() + 60)
    time.sleep(NUIT_S)
    dus, anomalies = machine.interroger(TICKETS_DUS), machine.interroger(OUVERTES)
    perdus = machine.interroger("SELECT count(*) FROM paiements_ticket WHERE etat = 'IMPOSSIBLE'")
    debut = time.monotonic()
    machine.relais["courriel"].regler("ouvert")
    exiger(wait_until(lambda: machine.interroger(TICKETS_DUS) == "0", 300), "des tickets ne partent pas")
    dire(f"sans courriel : {dus} tickets attendent, {perdus} perdus, {anomalies} anomalies ouvertes")
    dire(f"courriel revenu : tous partis en {time.monotonic() - debut:.1f} s, sans une main")
    exiger(perdus == "0", "un ticket s'est perdu")


if __name__ == "__main__":
    main()
