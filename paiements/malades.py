"""
Un paiement malade n'arrête personne : les autres passent, un agent le voit, on réessaie de plus en plus tard.

La même règle pour tout ce que la machine fait d'un paiement : l'imputer, ou porter ce que la plateforme en dit.
"""

import logging
from datetime import timedelta
from enum import Enum

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from paiements.causes import Cause, par_service
from paiements.file.tenue import clore, signaler
from paiements.models import Anomalie, Paiement

logger = logging.getLogger(__name__)

PREMIERE_RELANCE, RELANCE_AU_PLUS = timedelta(minutes=1), timedelta(days=1)


class Travail(Enum):
    """Ce qui échoue : son nom, et le champ qui dit quand on le reprend."""

    IMPUTATION = "imputation", "imputer_le"
    INTERROGATION = "interrogation", "prochain_controle_le"

    @property
    def champ(self) -> str:
        return self.value[1]

    def __str__(self) -> str:
        return self.value[0]


def exiger_la_base(echec: Exception) -> None:
    """
    Un échec n'est celui d'un paiement que si la base répond encore.

    :raises Exception: l'échec lui-même, si elle ne répond plus
    """
    if isinstance(echec, DatabaseError) and not connection.is_usable():
        raise echec


@transaction.atomic
def reporter(paiement: Paiement, travail: Travail, echec: Exception) -> None:
    """Le paiement garde sa place, un agent le voit ; on réessaie de plus en plus tard, au moins une fois par jour."""
    logger.error("%s impossible", travail, exc_info=echec, extra={"paiement": paiement.reference})
    anomalie = signaler(
        Anomalie.Genre.IMPUTATION_IMPOSSIBLE,
        _get_cle(paiement, travail),
        # Close par un agent, et toujours malade le lendemain : elle se redit.
        situation=str(timezone.localdate()),
        detail=f"l'{travail} échoue ({type(echec).__name__}) ; prévenir l'exploitant",
        paiement=paiement,
        cause=par_service(f"l'{travail} échoue"),
    )
    maintenant = timezone.now()
    # Autant que ce que dure le mal, et une minute : chaque attente est le double de la précédente.
    delai = min(maintenant - anomalie.ouverte_le + PREMIERE_RELANCE, RELANCE_AU_PLUS)
    Paiement.objects.filter(pk=paiement.pk).update(**{travail.champ: maintenant + delai})


def guerir(paiement: Paiement, travail: Travail, cause: Cause) -> None:
    """Ce travail a réussi : son anomalie n'a plus lieu d'être. À appeler sous le verrou du paiement."""
    siennes = paiement.anomalies.ouvertes().filter(genre=Anomalie.Genre.IMPUTATION_IMPOSSIBLE)
    for anomalie in siennes.filter(cle=_get_cle(paiement, travail)):
        clore(anomalie, cause)


def _get_cle(paiement: Paiement, travail: Travail) -> str:
    return paiement.reference if travail is Travail.IMPUTATION else f"{paiement.reference}:{travail}"
