"""Ce que montre le récapitulatif, et l'empreinte qui garantit que l'on ne paie rien d'autre."""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from demarches.etats import Etat
from demarches.models import DEPUIS_PEU, Demarche, LigneDemarche
from demarches.montants import ZERO
from dettes.models import Dette
from socle.sql import Lecture

LIGNES = Lecture(
    lambda demarche: (
        LigneDemarche.objects.filter(demarche=demarche).select_related("dette").order_by("dette__notifiee_le", "pk")
    )
)
AUTRES = Lecture(
    lambda demarche, allocataire, depuis: Demarche.objects.deja_demandees(
        demarche, allocataire, depuis
    ).select_related("paiement__debit")
)


class Ecart(NamedTuple):
    """Une ligne qui ne tient plus : ce que l'on voulait payer, ce que l'on peut encore payer, en euros."""

    dette: Dette
    demande: Decimal
    disponible: Decimal


class Recapitulatif(NamedTuple):
    """
    Ce que montre le récapitulatif d'un brouillon, lu d'un trait.

    :param lignes: avec leurs dettes, la plus ancienne d'abord
    :param autres: les autres demandes sur les mêmes dettes, à lire avant de payer, avec leur paiement et son débit
    :param ecarts: les lignes qui ne tiennent plus : dette qui ne se paie plus ici, montant au-delà du disponible
    :param empreinte: glissée dans « Payer », elle garantit que l'on ne paie jamais autre chose que ce qui était montré
    """

    lignes: list[LigneDemarche]
    autres: list[Demarche]
    ecarts: list[Ecart]
    empreinte: str


def lire_le_recapitulatif(demarche: Demarche, dettes: Iterable[Dette]) -> Recapitulatif:
    """
    Ce qui est montré, et son empreinte, de la même lecture : rien ne se glisse entre les deux.

    :param dettes: celles que rend `get_dettes`
    """
    lignes = LIGNES.lire(demarche.pk)
    autres = AUTRES.lire(demarche.pk, demarche.allocataire_id, timezone.now() - DEPUIS_PEU)
    empreinte = _prendre_l_empreinte(demarche, lignes, autres)
    return Recapitulatif(lignes, autres, _trouver_les_ecarts(lignes, dettes), empreinte)


def _trouver_les_ecarts(lignes: Iterable[LigneDemarche], dettes: Iterable[Dette]) -> list[Ecart]:
    """Les montants de la démarche n'y comptent pas : seule une démarche partie à la banque engage les siens."""
    disponibles = {dette.pk: max(dette.disponible, ZERO) for dette in dettes}
    ecarts = (Ecart(ligne.dette, ligne.montant, disponibles.get(ligne.dette_id, ZERO)) for ligne in lignes)
    return [ecart for ecart in ecarts if ecart.demande > ecart.disponible]


def _prendre_l_empreinte(demarche: Demarche, lignes: Iterable[LigneDemarche], autres: Iterable[Demarche]) -> str:
    """
    L'empreinte de ce que le récapitulatif montre : version des mentions, courriel, mode, montant, lignes.

    Et ce qui est déjà demandé sur les mêmes dettes, selon que la banque a répondu ou non.
    """
    montre = [
        settings.MENTIONS_VERSION,
        demarche.courriel,
        demarche.mode,
        f"{demarche.montant:.2f}",
        sorted((ligne.dette_id, f"{ligne.montant:.2f}") for ligne in lignes),
        # garde: deja_demandees_lues
        [(autre.reference, autre.etat == Etat.A_LA_BANQUE) for autre in autres],
    ]
    return hashlib.sha256(json.dumps(montre).encode()).hexdigest()
