"""
La notification, par un vrai gunicorn et des messages signés tous différents, rapportée à pgbench sur la même base.

L'étalon : un SELECT FOR UPDATE, un UPDATE, deux INSERT, COMMIT, sur des tables nues. Le temps de processeur compté est
celui du web et de PostgreSQL d'un côté, de pgbench et de PostgreSQL de l'autre ; jamais le nôtre. À côté, dans le même
gunicorn : un Django tout simple, et un seul ordre SQL (`ordinaire.py`).
"""

import os
import secrets
import statistics
import subprocess
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
import django

django.setup()

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bancs.charge import Demande, ouvrir_le_web, presser
from bancs.mesure import TOURS, Ligne, dire, get_cpu_de
from bancs.ordinaire import ouvrir_les_achats, verifier_les_achats
from bancs.pages import creer
from demarches.models import Demarche, LigneDemarche
from dettes.models import Dette
from outils import postgres
from paiements.models import EtapePaiement, MessagePayzen, Paiement
from paiements.payzen import sign, to_centimes
from paiements.statuts import Geste
from paiements.surveillance.invariants import verifier

PAR_TOUR = int(os.environ.get("PAR_TOUR", "150"))
CHEMIN = "/paiements/payzen/notification"
PAR_L_ORM, EN_UN_ORDRE = "/bancs/notification/orm/", "/bancs/notification/un-ordre/"
ETALON = """
CREATE TABLE IF NOT EXISTS banc_paiement (id int PRIMARY KEY, statut text, le timestamptz);
CREATE TABLE IF NOT EXISTS banc_message (id bigserial PRIMARY KEY, paiement int, recu jsonb, le timestamptz);
CREATE TABLE IF NOT EXISTS banc_etape (id bigserial PRIMARY KEY, paiement int, vers text, le timestamptz);
INSERT INTO banc_paiement SELECT g, 'EN_ATTENTE', now() FROM generate_series(1, 10000) g ON CONFLICT DO NOTHING
"""
SCRIPT = """\\set p random(1, 10000)
BEGIN;
SELECT statut FROM banc_paiement WHERE id = :p FOR UPDATE;
UPDATE banc_paiement SET statut = 'ACCEPTE', le = now() WHERE id = :p;
INSERT INTO banc_message (paiement, recu, le) VALUES (:p, '{"vads_trans_status": "AUTHORISED"}', now());
INSERT INTO banc_etape (paiement, vers, le) VALUES (:p, 'ACCEPTE', now());
COMMIT;
"""


@transaction.atomic
def ouvrir(combien: int, personnes: int = 1) -> list[Paiement]:
    """Autant de paiements d'un euro chez la banque, de tant de personnes, trois sur cinq avec un ticket à envoyer."""
    auteurs = [creer(1) for _ in range(personnes)]
    maintenant, premier = timezone.now(), secrets.randbelow(900_000)
    demarches = Demarche.objects.bulk_create(
        Demarche(
            auteur=auteurs[rang % personnes],
            allocataire=auteurs[rang % personnes].allocataire,
            etat="ABANDONNEE",
            mode="AFFECTE",
            montant=Decimal(1),
            mentions_version=settings.MENTIONS_VERSION,
            mentions_lues_le=maintenant,
            courriel="banc@exemple.invalid" if rang % 5 < 3 else "",
        )
        for rang in range(combien)
    )
    dettes = {dette.allocataire_id: dette for dette in Dette.objects.filter(allocataire__utilisateurs__in=auteurs)}
    LigneDemarche.objects.bulk_create(
        LigneDemarche(demarche=demarche, dette=dettes[demarche.allocataire_id], montant=1) for demarche in demarches
    )
    Demarche.objects.filter(pk__in=[d.pk for d in demarches]).update(etat="A_LA_BANQUE")
    caf = auteurs[0].allocataire.caf
    paiements = Paiement.objects.bulk_create(
        Paiement(
            demarche=demarche,
            reference=demarche.reference,
            caf=caf,
            montant=Decimal(1),
            boutique=caf.boutique,
            mode="TEST",
            trans_id=f"{premier + rang:06d}",
            prochain_controle_le=maintenant + settings.PAIEMENT_CONTROLES[0],
        )
        for rang, demarche in enumerate(demarches)
    )
    EtapePaiement.objects.bulk_create(
        EtapePaiement(paiement=p, geste=Geste.SOUMETTRE, de="INITIE", vers="EN_ATTENTE", motif="banc", auteur="banc")
        for p in paiements
    )
    Paiement.objects.filter(pk__in=[p.pk for p in paiements]).update(statut="EN_ATTENTE")
    return paiements


def signer(paiement: Paiement) -> bytes:
    """Le corps d'un accord authentique, aux trente champs d'un vrai message."""
    champs = {
        "vads_site_id": paiement.boutique,
        "vads_ctx_mode": paiement.mode,
        "vads_order_id": paiement.reference,
        "vads_trans_id": paiement.trans_id,
        "vads_trans_date": paiement.cree_le.strftime("%Y%m%d%H%M%S"),
        "vads_effective_creation_date": paiement.cree_le.strftime("%Y%m%d%H%M%S"),
        "vads_trans_status": "AUTHORISED",
        "vads_trans_uuid": f"{paiement.pk:032x}",
        "vads_operation_type": "DEBIT",
        "vads_amount": str(to_centimes(paiement.montant)),
        "vads_currency": "978",
        "vads_card_brand": "CB",
        "vads_card_number": "497010XXXXXX0055",
        "vads_auth_number": "3fe85c",
        "vads_url_check_src": "PAY",
    } | {f"vads_ext_info_{rang:02d}": "valeur" for rang in range(15)}
    cle = settings.PAYZEN_BOUTIQUES[paiement.boutique].cle
    return urlencode(champs | {"signature": sign(champs, cle)}).encode()


def preparer_les_messages(combien: int) -> tuple[dict[str, list[Demande]], list[Paiement]]:
    """Tant d'accords par façon de les recevoir, tous différents ; et les paiements que la nôtre fera avancer."""
    paiements = ouvrir(combien * 2)
    nous, autres = paiements[:combien], paiements[combien:]
    ouvrir_les_achats(paiements)
    facons = {"nous": (CHEMIN, nous), "orm": (PAR_L_ORM, nous), "un ordre": (EN_UN_ORDRE, autres)}
    return {nom: [Demande(chemin, signer(p)) for p in siens] for nom, (chemin, siens) in facons.items()}, nous


def poster(port: int, messages: list[Demande]) -> None:
    """Tous, et chacun accepté."""
    codes = {reponse.code for reponse in presser(port, messages)}
    assert codes == {200}, codes


def mesurer(geste: Callable[[], object], fois: int, pids: list[int]) -> tuple[float, float]:
    """Le temps de processeur de ces programmes, en secondes par fois, et les fois par seconde."""
    avant, debut = get_cpu_de(pids), time.monotonic()
    geste()
    return (get_cpu_de(pids) - avant) / fois, fois / (time.monotonic() - debut)


def compter(paiements: list[Paiement]) -> None:
    """Vite et faux serait faux : chaque accord a fait avancer son paiement, et les livres se tiennent."""
    siens = Paiement.objects.filter(pk__in=[p.pk for p in paiements])
    assert siens.filter(statut="ACCEPTE").count() == len(paiements), "chaque accord a fait avancer son paiement"
    assert MessagePayzen.objects.filter(paiement__in=siens).count() == len(paiements), "un message chacun"
    verifier_les_achats()
    # Aucun ouvrier ne tourne ici : ce qui est à faire après la notification attend, c'est tout.
    violations = [v for v in verifier() if v.invariant.nom != "rien_en_retard"]
    assert not violations, violations[:5]


def main() -> None:
    serveur = postgres._locate(Path(os.environ["BANCS_DOSSIER"]) / "base")
    pgbench = postgres._find_binaries(serveur)[0] / "pgbench"
    base, moi = serveur.pid, os.getpid()
    assert base, "la base du banc tourne"
    with connection.cursor() as curseur:
        curseur.execute(ETALON)
    script = Path(os.environ["BANCS_DOSSIER"]) / "etalon.sql"
    script.write_text(SCRIPT)
    fois = PAR_TOUR * 10
    etalon = [pgbench, "-n", "-M", "prepared", "-c", "4", "-t", str(fois // 4), "-f", script, serveur.get_url()]
    messages, paiements = preparer_les_messages(PAR_TOUR * (TOURS + 1))
    cpu: dict[str, list[float]] = {nom: [] for nom in messages}
    debits: dict[str, list[float]] = {nom: [] for nom in messages}
    with ouvrir_le_web() as (port, web):
        for tour in range(TOURS + 1):
            part = slice(tour * PAR_TOUR, (tour + 1) * PAR_TOUR)
            gestes = {nom: partial(poster, port, siens[part]) for nom, siens in messages.items()}
            vus = {nom: mesurer(geste, PAR_TOUR, [web, base]) for nom, geste in gestes.items()}
            temps, debit = mesurer(partial(subprocess.run, etalon, check=True, capture_output=True), fois, [base, moi])
            for nom, (temps_vu, debit_vu) in vus.items() if tour else ():
                cpu[nom].append(temps_vu / temps)
                debits[nom].append(debit_vu / debit)
    compter(paiements)
    note = f"{vus['nous'][0] * 1000:.1f} ms"
    mesures = [("Notification : processeur ÷ pgbench", cpu, 7.0), ("Notifications/s ÷ pgbench tps", debits, 0.18)]
    for titre, rapports, but in mesures:
        limite, pair = (statistics.median(rapports[nom]) for nom in ("un ordre", "orm"))
        dire(Ligne(titre, rapports["nous"], but, limite, pair, plus_haut_est_mieux=rapports is debits, note=note))


if __name__ == "__main__":
    main()
