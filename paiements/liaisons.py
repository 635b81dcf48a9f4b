"""
Le disjoncteur : ce qui ne répond plus n'est plus appelé pendant un moment, et ne retient pas les ouvriers.

Une liaison par boutique, une pour le courriel, une pour les PDF : la panne de l'une ne touche pas les autres. Une
heure de silence ouvre une anomalie, une seule, que la première réponse referme.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from comptes.models import Caf
from paiements.boutiques import get_boutique
from paiements.causes import par_service
from paiements.file.tenue import DejaResolue, clore, signaler
from paiements.models import Anomalie, Liaison
from paiements.payzen import Client, EchecRest, PlateformeInjoignable
from socle.sql import Lecture, Parmi

logger = logging.getLogger(__name__)

COURRIEL, PDF = "courriel", "rendu des PDF"
DELAI = 8.0
# Une réponse perdue n'est pas une panne ; quatre de suite, si.
SEUIL = 4
PAUSES = [timedelta(seconds=15), timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
A_SIGNALER = timedelta(hours=1)
PRECISION = timedelta(minutes=1)
# Quand rappeler celles de ces liaisons que l'on a coupées.
REPRISES = Lecture(
    lambda noms, maintenant: Liaison.objects.filter(Parmi("pk", noms), coupee_jusqu_a__gt=maintenant).values_list(
        "coupee_jusqu_a"
    )
)
# Une liaison sans échec, qui a répondu depuis : c'est l'ordinaire, et il n'y a rien à noter.
REPONDUES = Lecture(
    lambda nom, depuis: Liaison.objects.filter(pk=nom, echecs=0, repondue_le__gt=depuis).values_list("pk")
)


class ClientSuivi(Client):
    """Le client d'une boutique, qui note chaque réponse et chaque silence."""

    def _call(self, service: str, corps: dict[str, Any]) -> dict[str, Any]:
        nom = get_nom(self.boutique.site)
        try:
            reponse = super()._call(service, corps)
        except PlateformeInjoignable as silence:
            noter_silence(nom, str(silence))
            raise
        except EchecRest:
            noter_reponse(nom)
            raise
        noter_reponse(nom)
        return reponse


def get_client(boutique: str, mode: str, delai: float = DELAI) -> ClientSuivi:
    """
    De quoi parler à PayZen pour une boutique.

    :param delai: l'attente d'une réponse, en secondes
    :raises BoutiqueAbsente: si ses clés ne sont pas réglées, ou le sont pour un autre mode
    """
    return ClientSuivi(get_boutique(boutique, mode), delai)


def get_nom(boutique: str) -> str:
    return f"PayZen {boutique}"


def get_ouvrier(file: str) -> str:
    """Le nom sous lequel l'ouvrier d'une file dit qu'il vit."""
    return f"ouvrier {file}"


def get_boutiques_coupees() -> list[str]:
    """Les numéros des boutiques qu'il ne sert à rien d'appeler en ce moment."""
    coupees = Liaison.objects.filter(coupee_jusqu_a__gt=timezone.now(), nom__startswith="PayZen ")
    return [nom.removeprefix("PayZen ") for nom in coupees.values_list("nom", flat=True)]


def get_muettes() -> set[str]:
    """Les liaisons que l'on a coupées, et qui n'ont pas répondu depuis, même entre deux pauses."""
    return set(Liaison.objects.filter(coupee_jusqu_a__isnull=False).values_list("nom", flat=True))


def get_reprise(noms: Iterable[str]) -> datetime | None:
    """Quand rappeler, si l'une de ces liaisons est coupée ; None si toutes se tentent."""
    return max((reprise for (reprise,) in REPRISES.lire(list(noms), timezone.now()) if reprise), default=None)


def noter_reponse(nom: str) -> None:
    """Elle répond : on la rappelle sans attendre, et son anomalie se ferme."""
    maintenant = timezone.now()
    if REPONDUES.lire(nom, maintenant - PRECISION):
        return
    with transaction.atomic():
        champs = {"repondue_le": maintenant, "echecs": 0, "muette_depuis": None, "coupee_jusqu_a": None}
        Liaison.objects.update_or_create(nom=nom, defaults=champs)
        for anomalie in Anomalie.objects.filter(genre=Anomalie.Genre.LIAISON_MUETTE, cle=nom).ouvertes():
            try:
                clore(anomalie, par_service("la liaison répond de nouveau"))
            except DejaResolue:
                continue


@transaction.atomic
def noter_silence(nom: str, motif: str) -> None:
    """
    Elle n'a pas répondu : à partir de quatre fois de suite, elle se repose, de plus en plus longtemps.

    :param motif: ce qui a manqué ; ni adresse, ni donnée de personne
    """
    maintenant = timezone.now()
    Liaison.objects.get_or_create(nom=nom)
    liaison = Liaison.objects.select_for_update(no_key=True).get(pk=nom)
    if liaison.coupee_jusqu_a and liaison.coupee_jusqu_a > maintenant:
        return  # partis ensemble, revenus ensemble : c'est le même silence
    liaison.echecs += 1
    liaison.muette_depuis = liaison.muette_depuis or maintenant
    liaison.dernier_motif = motif[:200]
    if liaison.echecs >= SEUIL:
        pause = PAUSES[min(liaison.echecs - SEUIL, len(PAUSES) - 1)]
        liaison.coupee_jusqu_a = maintenant + pause
        logger.warning("liaison coupée", extra={"liaison": nom, "motif": motif, "pause_s": pause.total_seconds()})
    liaison.save()
    if maintenant - liaison.muette_depuis >= A_SIGNALER:
        _signaler(liaison)


def _signaler(liaison: Liaison) -> None:
    """Une anomalie par panne, et non par ticket ou par paiement."""
    boutique = liaison.nom.removeprefix("PayZen ")
    signaler(
        Anomalie.Genre.LIAISON_MUETTE,
        liaison.nom,
        situation=f"depuis {liaison.muette_depuis:%Y-%m-%d %H:%M} UTC",
        detail=f"{liaison.nom} : {liaison.dernier_motif}",
        caf=Caf.objects.filter(boutique=boutique).first() if boutique != liaison.nom else None,
        cause=par_service("aucune réponse depuis une heure"),
    )
