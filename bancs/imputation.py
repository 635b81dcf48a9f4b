"""L'imputation par lot, rapportée à du SQL par ensembles sur des tables nues, et à nous-mêmes un paiement à la fois."""

import os

os.environ["NIVEAU_JOURNAL"] = "ERROR"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "caf_remboursement.settings")
import django

django.setup()

from collections.abc import Callable
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum

from bancs.mesure import TOURS, Ligne, dire, get_cpu
from bancs.notification import signer
from bancs.pages import creer, payer_ce_qui_est_montre
from demarches import services
from paiements.causes import par_service
from paiements.imputation import imputer
from paiements.models import Imputation, Paiement
from paiements.passages import avancer, verrouiller
from paiements.payzen import read_notification
from paiements.reception.porter import Recu, porter
from paiements.statuts import Geste
from paiements.surveillance.invariants import verifier

PAR_TOUR = int(os.environ.get("PAR_TOUR", "100"))
# Un à un, chacun compte seul : il en faut moins, et les préparer prend plus de temps que les mesurer.
SEULS = PAR_TOUR // 4
NUES = """
CREATE TABLE IF NOT EXISTS nue_dette (id int PRIMARY KEY, solde numeric(9,2));
CREATE TABLE IF NOT EXISTS nue_paiement (id int PRIMARY KEY, statut text, imputer_le timestamptz);
CREATE TABLE IF NOT EXISTS nue_ligne (paiement int, dette int, montant numeric(9,2));
CREATE TABLE IF NOT EXISTS nue_mouvement (id bigserial PRIMARY KEY, dette int, montant numeric(9,2), origine text);
CREATE TABLE IF NOT EXISTS nue_imputation (id bigserial PRIMARY KEY, paiement int, dette int, montant numeric(9,2));
CREATE TABLE IF NOT EXISTS nue_etape (id bigserial PRIMARY KEY, paiement int, vers text, le timestamptz);
TRUNCATE nue_dette, nue_paiement, nue_ligne, nue_mouvement, nue_imputation, nue_etape;
INSERT INTO nue_dette SELECT g, 900 FROM generate_series(0, 199999) g;
INSERT INTO nue_paiement SELECT g, 'VERIFIE', now() FROM generate_series(0, 99999) g;
INSERT INTO nue_ligne SELECT g / 2, g, 10 FROM generate_series(0, 199999) g;
CREATE INDEX IF NOT EXISTS nue_ligne_paiement ON nue_ligne (paiement);
ANALYZE nue_dette, nue_paiement, nue_ligne
"""
PAR_ENSEMBLES = (
    "SELECT id FROM nue_paiement WHERE id BETWEEN %(de)s AND %(a)s FOR UPDATE SKIP LOCKED",
    "SELECT d.id FROM nue_dette d JOIN nue_ligne l ON l.dette = d.id WHERE l.paiement BETWEEN %(de)s AND %(a)s"
    " ORDER BY d.id FOR UPDATE OF d",
    "INSERT INTO nue_mouvement (dette, montant, origine) SELECT dette, -montant, 'banc' FROM nue_ligne"
    " WHERE paiement BETWEEN %(de)s AND %(a)s",
    "UPDATE nue_dette d SET solde = solde - l.montant FROM nue_ligne l"
    " WHERE l.dette = d.id AND l.paiement BETWEEN %(de)s AND %(a)s",
    "INSERT INTO nue_imputation (paiement, dette, montant) SELECT paiement, dette, montant FROM nue_ligne"
    " WHERE paiement BETWEEN %(de)s AND %(a)s",
    "INSERT INTO nue_etape (paiement, vers, le) SELECT id, 'IMPUTE', now() FROM nue_paiement"
    " WHERE id BETWEEN %(de)s AND %(a)s",
    "UPDATE nue_paiement SET statut = 'IMPUTE', imputer_le = NULL WHERE id BETWEEN %(de)s AND %(a)s",
)


def preparer(combien: int) -> None:
    """Autant de paiements de vingt euros, vérifiés, chacun d'un autre dossier et sur ses deux dettes."""
    for _ in range(combien):
        _verifier(_payer())


def _payer() -> Paiement:
    demarche = services.enregistrer_informations(services.commencer(creer(2)), courriel="")
    montants = {dette.pk: Decimal(10) for dette in services.get_dettes(demarche)}
    demarche = services.enregistrer_montants(demarche, montants)
    return payer_ce_qui_est_montre(demarche).paiement


@transaction.atomic
def _verifier(paiement: Paiement) -> None:
    recue = read_notification(signer(paiement), settings.PAYZEN_BOUTIQUES)
    porter([Recu(recue.fait, recue.champs)])
    avancer(Geste.VERIFIER, verrouiller(paiement.pk), par_service("banc"))


def mesurer(geste: Callable[[], object], base: int) -> float:
    """Le temps de processeur d'un geste, le nôtre et celui de PostgreSQL, en secondes."""
    avant = get_cpu() + get_cpu(base)
    geste()
    return get_cpu() + get_cpu(base) - avant


def par_ensembles(premier: int) -> None:
    with transaction.atomic(), connection.cursor() as curseur:
        for ordre in PAR_ENSEMBLES:
            curseur.execute(ordre, {"de": premier, "a": premier + PAR_TOUR - 1})


def un_par_un() -> None:
    taille, imputer.TAILLE_DU_LOT = imputer.TAILLE_DU_LOT, 1
    try:
        while imputer.imputer_un_lot():
            pass
    finally:
        imputer.TAILLE_DU_LOT = taille


def main() -> None:
    connection.settings_dict["CONN_MAX_AGE"] = None
    with connection.cursor() as curseur:
        curseur.execute(NUES)
        curseur.execute("SELECT pg_backend_pid()")
        (base,) = curseur.fetchone()
    limites, seuls = [], []
    avant = Imputation.objects.aggregate(somme=Sum("montant"))["somme"] or Decimal(0)
    for tour in range(TOURS + 1):
        preparer(PAR_TOUR)
        lot = mesurer(imputer.imputer_un_lot, base)
        preparer(SEULS)
        seul = mesurer(un_par_un, base) * PAR_TOUR / SEULS
        # Des tics d'un centième de seconde : assez de fois pour qu'ils ne comptent pas.
        nus = mesurer(lambda tour=tour: [par_ensembles((tour * 20 + n) * PAR_TOUR) for n in range(20)], base) / 20
        if tour:
            limites.append(nus / lot)
            seuls.append(seul / lot)
    paiements = (PAR_TOUR + SEULS) * (TOURS + 1)
    apres = Imputation.objects.aggregate(somme=Sum("montant"))["somme"]
    assert apres - avant == 20 * paiements, "chaque paiement a baissé ses deux dettes de vingt euros en tout"
    assert not Paiement.objects.a_imputer().exists(), "rien n'attend"
    violations = [v for v in verifier() if v.invariant.nom != "rien_en_retard"]
    assert not violations, violations[:5]
    note = f"{lot / PAR_TOUR * 1000:.2f} ms par paiement de deux dettes"
    dire(Ligne("Imputation : SQL nu ÷ nous", limites, 0.25, plus_haut_est_mieux=True, note=note))
    dire(Ligne("Imputation : un par un ÷ lot", seuls, 10, plus_haut_est_mieux=True))


if __name__ == "__main__":
    main()
