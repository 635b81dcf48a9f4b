"""Écrire des imputations, et les mouvements qui les portent aux dettes : un ordre, quel qu'en soit le nombre."""

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.utils import timezone

from dettes.models import Mouvement
from paiements.causes import Cause
from paiements.models import Paiement
from socle.sql import executer

# D'un paiement, une dette ne reçoit qu'une part à la fois : elle et la référence disent de laquelle est un mouvement.
ECRIRE = """
WITH parts AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS x(
        paiement bigint, reference text, debit text, dette bigint, genre text, montant numeric, paye_le timestamptz,
        motif text, auteur text, le timestamptz)
), mouvements AS (
    INSERT INTO dettes_mouvement (dette_id, genre, montant, origine, motif, le)
    SELECT dette, genre, -montant, reference, CASE genre WHEN 'REJET' THEN motif ELSE '' END, le
    FROM parts RETURNING id, dette_id, origine
)
INSERT INTO paiements_imputation (paiement_id, debit_id, dette_id, montant, mouvement_id, paye_le, motif, auteur)
SELECT x.paiement, x.debit, x.dette, x.montant, m.id, x.paye_le, x.motif, x.auteur
FROM parts x JOIN mouvements m ON (m.dette_id, m.origine) = (x.dette, x.reference) ORDER BY m.id
RETURNING id
"""


class Ecriture(NamedTuple):
    """
    De l'argent d'un paiement mis sur une dette, ou repris d'elle, et qui le fait.

    :param debit, paye_le: le débit dont il vient, et l'heure que la Caf en lit
    :param genre: ce que l'on croit écrire ; la base refuse une reprise qui ferait baisser la dette, et l'inverse
    :param montant: signé, en euros ; une reprise est négative
    """

    paiement: Paiement
    debit: str
    paye_le: datetime
    dette: int
    genre: Mouvement.Genre
    montant: Decimal
    cause: Cause


def ecrire(ecritures: Iterable[Ecriture]) -> None:
    """Écrit des imputations ; la base porte chaque mouvement au solde de sa dette, et refuse ce qui déborde."""
    le = timezone.now()
    if parts := [_decrire(ecriture) | {"le": le} for ecriture in ecritures]:
        executer(ECRIRE, [json.dumps(parts, default=str)])


def _decrire(ecriture: Ecriture) -> dict[str, object]:
    paiement, debit, paye_le, dette, genre, montant, cause = ecriture
    qui = {"paiement": paiement.pk, "reference": paiement.reference, "debit": debit, "paye_le": paye_le}
    quoi = {"dette": dette, "genre": genre, "montant": montant}
    return qui | quoi | {"motif": cause.motif[:200], "auteur": cause.auteur}
