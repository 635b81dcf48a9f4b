"""
Les clés d'une boutique ne sont plus réglées : ce qui était dû se redemande une fois par jour, sans bruit ni oubli.

Une anomalie par boutique et par mode, qui dit d'abord à l'exploitant de les remettre ; leur retour la ferme.
"""

import logging
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from paiements import liaisons
from paiements.boutiques import BoutiqueAbsente
from paiements.causes import par_service
from paiements.file.tenue import DejaResolue, clore, signaler
from paiements.models import Anomalie, Liaison, Paiement
from paiements.statuts import Statut

logger = logging.getLogger(__name__)

# Pendant une relance, un ouvrier a déjà les clés et l'autre pas encore : pas plus d'un aller et retour par minute.
REPIT = timedelta(minutes=1)
Etat, Genre = Anomalie.Etat, Anomalie.Genre


def signaler_l_absence(paiement: Paiement, absence: BoutiqueAbsente) -> None:
    """Ouvre l'anomalie de sa boutique, et l'écrit au journal du service ; une fois pour tous ses paiements."""
    cle, situation = _get_cle(paiement.boutique, paiement.mode), _dire_depuis_quand(paiement.boutique)
    connue = Anomalie.objects.filter(genre=Genre.CLES_ABSENTES, cle=cle, situation=situation)
    if connue.exclude(etat=Etat.SANS_OBJET).exists():
        return
    logger.error("PayZen : boutique sans clés", extra={"boutique": paiement.boutique, "motif": str(absence)})
    signaler(
        Genre.CLES_ABSENTES,
        cle,
        situation=situation,
        detail=str(absence),
        caf=paiement.caf,
        cause=par_service(str(absence)),
    )


def _get_cle(boutique: str, mode: str) -> str:
    return f"{boutique}:{mode}"


def _dire_depuis_quand(boutique: str) -> str:
    """Ce qui distingue une absence de la suivante : quand la boutique a répondu pour la dernière fois."""
    if boutique in settings.PAYZEN_BOUTIQUES:
        return "réglée dans un autre mode"
    liaison = Liaison.objects.filter(pk=liaisons.get_nom(boutique)).first()
    return f"dernière réponse le {liaison.repondue_le:%Y-%m-%d %H:%M} UTC" if liaison and liaison.repondue_le else ""


def reprendre_les_cles_revenues() -> None:
    """Les clés d'une boutique sont revenues : ce qui attend une personne se redemande, le reste à son heure."""
    boutiques = {_get_cle(boutique.site, boutique.mode): boutique for boutique in settings.PAYZEN_BOUTIQUES.values()}
    absentes = Anomalie.objects.ouvertes().filter(genre=Genre.CLES_ABSENTES, cle__in=boutiques)
    for anomalie in absentes.filter(ouverte_le__lte=timezone.now() - REPIT):
        boutique = boutiques[anomalie.cle]
        attendent = Paiement.objects.filter(
            boutique=boutique.site, mode=boutique.mode, statut__in=(Statut.EN_ATTENTE, Statut.ACCEPTE)
        )
        with transaction.atomic():
            # Les paiements d'abord, l'anomalie ensuite : dans l'ordre de qui les signale.
            attendent.filter(prochain_controle_le__gt=timezone.now()).update(prochain_controle_le=timezone.now())
            with suppress(DejaResolue):
                clore(anomalie, par_service("les clés de la boutique sont revenues"))
