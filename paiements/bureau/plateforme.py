"""Parler à PayZen pour un agent qui attend la réponse."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from paiements import controle
from paiements.models import Paiement
from paiements.payzen import EchecRest, PlateformeInjoignable

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


def interroger(paiement: Paiement) -> controle.Lecture:
    """
    Ce que PayZen dit d'un paiement.

    :raises EchecRest: s'il ne répond pas
    :raises BoutiqueAbsente: si les clés de sa boutique ne sont pas réglées
    """
    with dire_la_panne(paiement):
        return controle.interroger(paiement)


def relire(paiement: Paiement) -> Paiement:
    """
    Porte ce que PayZen dit d'un paiement, et le rend dans son nouvel état.

    :raises EchecRest: s'il ne répond pas, ou si la banque a parlé pendant qu'on lisait : rien n'en est porté
    :raises BoutiqueAbsente: si les clés de sa boutique ne sont pas réglées
    """
    apres = controle.conclure(paiement.pk, interroger(paiement))
    if apres is None:
        raise EchecRest("la banque vient de parler de ce paiement ; recommencez dans un instant")
    return apres
