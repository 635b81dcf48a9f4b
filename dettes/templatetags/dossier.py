"""Ce que doit un dossier, posé dans une page."""

from decimal import Decimal
from typing import NamedTuple

from django import template
from django.db.models import Count, Sum

from comptes.models import Allocataire
from dettes.models import Dette
from socle.sql import Lecture

register = template.Library()
PAYABLES = Lecture(
    lambda allocataire: (
        Dette.objects.filter(allocataire=allocataire)
        .payables()
        .values("allocataire")
        .annotate(reste=Sum("solde"), nombre=Count("pk"))
        .values_list("reste", "nombre")
    )
)


class Reste(NamedTuple):
    """Ce qui se paie ici : combien d'euros, et combien de dettes."""

    reste: Decimal
    nombre: int


@register.simple_tag
def ce_qui_reste(allocataire: Allocataire) -> Reste:
    """Ce que ce dossier doit encore, et qui se paie ici."""
    lu = PAYABLES.lire(allocataire.pk)
    return Reste(*lu[0]) if lu else Reste(Decimal(0), 0)
