"""Ce qu'une livraison peut changer d'une nuit à l'autre sans qu'une personne le confirme : un réglage par Caf."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from comptes.models import Caf

PART = [MinValueValidator(1), MaxValueValidator(1000)]


class Plausibilite(models.Model):
    """
    Les bornes d'une Caf ; sans ligne, les valeurs d'origine (FICHIERS §3.8).

    Parts en pour cent de ce que nous tenons avant la livraison ; au-delà, elle est refusée entière.
    """

    caf = models.OneToOneField(Caf, models.PROTECT, primary_key=True, related_name="plausibilite", verbose_name="Caf")
    disparitions = models.PositiveSmallIntegerField("dettes qui disparaissent (%)", default=10, validators=PART)
    total = models.PositiveSmallIntegerField("changement du total dû (%)", default=20, validators=PART)
    personnes = models.PositiveSmallIntegerField("changement du nombre de personnes (%)", default=20, validators=PART)
    mediane = models.PositiveSmallIntegerField("changement du solde médian (%)", default=50, validators=PART)
    # Un trop-perçu reprend un paiement, et rien ne l'y remet : la borne est basse.
    trop_percus = models.PositiveSmallIntegerField(
        "trop-perçus que la Caf annonce (% du total dû)", default=1, db_default=1, validators=PART
    )
    dettes_au_moins = models.PositiveIntegerField(
        "nombre de dettes d'où une part veut dire quelque chose",
        default=20,
        help_text="Sous ce nombre de dettes ouvertes, ou de trop-perçus, leurs parts ne sont pas regardées.",
    )
    montant_maximal = models.DecimalField(
        "plus grand montant initial (€)", max_digits=9, decimal_places=2, default=Decimal(500_000)
    )

    class Meta:
        verbose_name = "plausibilité des livraisons"
        verbose_name_plural = "plausibilité des livraisons"

    def __str__(self) -> str:
        return f"plausibilité des livraisons de la Caf {self.caf_id}"


def get_plausibilite(caf: Caf) -> Plausibilite:
    """Les bornes de cette Caf, ou celles d'origine."""
    return Plausibilite.objects.filter(caf=caf).first() or Plausibilite(caf=caf)
