"""Parler à PayZen pour un agent qui attend la réponse."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from paiements.models import Paiement
from paiements.payzen import EchecRest, PlateformeInjoignable
from paiements.verification import interroger

logger = logging.getLogger(__name__)


@contextmanager
def dire_la_panne(paiement: Paiement) -> Iterator[None]:
    """
    Si PayZen ne répond pas, dit à l'agent quoi faire ; la cause reste au journal.

    :raises EchecRest: s'il ne répond pas
    """
    try:
        yield
    except PlateformeInjoignable as panne:
        logger.warning("PayZen : appel sans suite", extra={"paiement": paiement.reference, "motif": str(panne)})
        raise EchecRest("PayZen n'a pas répondu ; réessayez dans quelques minutes") from panne


def relire(paiement: Paiement) -> Paiement:
    """
    Porte ce que PayZen dit d'un paiement, et le rend dans son nouvel état.

    :raises EchecRest: s'il ne répond pas, ou si la banque a parlé pendant qu'on lisait : rien n'en est conclu
    :raises BoutiqueAbsente: si les clés de sa boutique ne sont pas réglées
    """
    with dire_la_panne(paiement):
        lecture = interroger.lire_la_plateforme(paiement)
    apres = interroger.conclure(paiement.pk, lecture)
    if apres is None:
        raise EchecRest("la banque vient de parler de ce paiement ; recommencez dans un instant")
    return apres


def dire_ce_qui_change(paiement: Paiement) -> str:
    """Interroge PayZen, et dit à l'agent ce que cela a changé."""
    apres = relire(paiement)
    neuf = "rien de neuf" if apres.statut == paiement.statut else f"le paiement est {apres.get_statut_display()}"
    return f"PayZen a été interrogé : {neuf}."
