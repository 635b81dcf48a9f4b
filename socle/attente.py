"""Le travail en attente en base : en prendre un lot pour soi, le temps d'un bail."""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone


def reserver(en_attente: QuerySet, champ: str, *, combien: int, bail: timedelta) -> list[int]:  # type: ignore[type-arg]  # sert à tous les modèles
    """
    Prend ce dont l'heure est venue, le plus en retard d'abord, et remet l'heure après le bail ; rend les clés.

    Deux workers ne prennent pas la même ligne ; si le nôtre meurt, le bail échu la rend.

    :param champ: le champ qui dit l'heure, UTC
    """
    with transaction.atomic():
        dus = en_attente.filter(**{f"{champ}__lte": timezone.now()}).order_by(champ)
        libres = dus.select_for_update(of=("self",), skip_locked=True, no_key=True)
        cles = list(libres.values_list("pk", flat=True)[:combien])
        en_attente.model.objects.filter(pk__in=cles).update(**{champ: timezone.now() + bail})
    return cles
