"""
La notification, par un vrai gunicorn et des messages signés tous différents, rapportée à pgbench sur la même base.

L'étalon : un SELECT FOR UPDATE, un UPDATE, deux INSERT, COMMIT, sur des tables nues. Le temps de processeur compté est
celui du web et de PostgreSQL d'un côté, de pgbench et de PostgreSQL de l'autre ; jamais le nôtre.
"""

import http.client
import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
import django

django.setup()

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bancs.mesure import TOURS, Ligne, dire, get_cpu_de
from bancs.pages import creer
from demarches.models import Demarche, LigneDemarche
from outils import postgres
from outils.systeme import find_port, wait_until
from paiements.models import EtapePaiement, MessagePayzen, Paiement
from paiements.payzen import sign, to_centimes
from paiements.statuts import Geste
from paiements.surveillance.invariants import verifier

PAR_TOUR = int(os.environ.get("PAR_TOUR", "150"))
CHEMIN = "/paiements/payzen/notification"
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
def ouvrir(combien: int) -> list[Paiement]:
    """Autant de paiements d'un euro chez la banque, trois sur cinq avec un ticket à envoyer."""
    personne, maintenant, premier = creer(1), timezone.now(), secrets.randbelow(900_000)
    dette = personne.allocataire.dettes.get()
    demarches = Demarche.objects.bulk_create(
        Demarche(
            auteur=personne,
            allocataire=personne.allocataire,
            etat="ABANDONNEE",
            mode="AFFECTE",
            montant=Decimal(1),
            mentions_version=settings.MENTIONS_VERSION,
            mentions_lues_le=maintenant,
            courriel="banc@exemple.invalid" if rang % 5 < 3 else "",
        )
        for rang in range(combien)
    )
    LigneDemarche.objects.bulk_create(LigneDemarche(demarche=d, dette=dette, montant=1) for d in demarches)
    Demarche.objects.filter(pk__in=[d.pk for d in demarches]).update(etat="A_LA_BANQUE")
    caf = personne.allocataire.caf
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


def poster(port: int, corps: list[bytes]) -> list[int]:
    """Quatre connexions gardées ; rend les codes reçus."""

    def envoyer(part: list[bytes]) -> list[int]:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        codes = []
        for message in part:
            client.request("POST", CHEMIN, message, {"Content-Type": "application/x-www-form-urlencoded"})
            reponse = client.getresponse()
            reponse.read()
            codes.append(reponse.status)
        client.close()
        return codes

    with ThreadPoolExecutor(4) as files:
        return [code for codes in files.map(envoyer, [corps[rang::4] for rang in range(4)]) for code in codes]


def lancer_le_web(port: int) -> subprocess.Popen[bytes]:
    ecoute = ["--bind", f"127.0.0.1:{port}", "--preload", "--workers", "2", "--threads", "4", "--no-control-socket"]
    web = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "gunicorn", "caf_remboursement.wsgi", *ecoute, "--log-level", "error"],
        env=os.environ | {"NIVEAU_JOURNAL": "INFO"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def repond() -> bool:
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            client.request("GET", "/sante/")
            return client.getresponse().status == 200
        except OSError:
            return False

    assert wait_until(repond, 120), "gunicorn ne répond pas"
    return web


def main() -> None:
    serveur = postgres._locate(Path(os.environ["BANCS_DOSSIER"]) / "base")
    pgbench = postgres._find_binaries(serveur)[0] / "pgbench"
    base = serveur.pid
    assert base, "la base du banc tourne"
    with connection.cursor() as curseur:
        curseur.execute(ETALON)
    script = Path(os.environ["BANCS_DOSSIER"]) / "etalon.sql"
    script.write_text(SCRIPT)
    paiements = ouvrir(PAR_TOUR * (TOURS + 1))
    port = find_port()
    web = lancer_le_web(port)
    rapports, debits, milli = [], [], 0.0
    try:
        for tour in range(TOURS + 1):
            nous_avant, debut = get_cpu_de([web.pid, base]), time.monotonic()
            codes = poster(port, [signer(p) for p in paiements[tour * PAR_TOUR : (tour + 1) * PAR_TOUR]])
            duree = time.monotonic() - debut
            nous = (get_cpu_de([web.pid, base]) - nous_avant) / PAR_TOUR
            assert codes == [200] * PAR_TOUR, set(codes)
            base_avant, debut = get_cpu_de([base, os.getpid()]), time.monotonic()
            fois = PAR_TOUR * 10
            subprocess.run(
                [pgbench, "-n", "-M", "prepared", "-c", "4", "-t", str(fois // 4), "-f", script, serveur.get_url()],
                check=True,
                capture_output=True,
            )
            etalon = (get_cpu_de([base, os.getpid()]) - base_avant) / fois
            if tour:
                rapports.append(nous / etalon)
                debits.append((PAR_TOUR / duree) / (fois / (time.monotonic() - debut)))
                milli = nous * 1000
    finally:
        web.terminate()
        web.wait()
    siens = Paiement.objects.filter(pk__in=[p.pk for p in paiements])
    assert siens.filter(statut="ACCEPTE").count() == len(paiements), "chaque accord a fait avancer son paiement"
    assert MessagePayzen.objects.filter(paiement__in=siens).count() == len(paiements), "un message chacun"
    # Aucun ouvrier ne tourne ici : ce qui est à faire après la notification attend, c'est tout.
    violations = [v for v in verifier() if v.invariant.nom != "rien_en_retard"]
    assert not violations, violations[:5]
    dire(Ligne("Notification : processeur ÷ pgbench", rapports, 7, note=f"{milli:.1f} ms"))
    dire(Ligne("Notifications/s ÷ pgbench tps", debits, 0.18, plus_haut_est_mieux=True))


if __name__ == "__main__":
    main()
