"""Une alerte dite aux opérateurs : une fois quand elle s'ouvre, une fois quand elle finit."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Alerte(models.Model):
    """Un problème du service, dont les opérateurs ont été prévenus. Dates en UTC."""

    cle = models.CharField("clé", max_length=80)
    phrase = models.CharField(max_length=300)
    commande = models.CharField(max_length=200)
    ouverte_le = models.DateTimeField("ouverte le", default=timezone.now)
    finie_le = models.DateTimeField("finie le", null=True, blank=True)

    class Meta:
        verbose_name = "alerte"
        constraints = [
            models.UniqueConstraint(name="une_alerte_ouverte_par_cle", fields=["cle"], condition=Q(finie_le=None))
        ]

    def __str__(self) -> str:
        return self.cle
