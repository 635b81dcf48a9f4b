"""À partir de quelle somme un geste qui sort de l'argent des comptes demande deux personnes : le seuil de la Caf."""

from decimal import Decimal

from comptes.models import Caf
from paiements.file.en_jeu import avec_en_jeu
from paiements.models import Anomalie


def get_en_jeu(anomalie: Anomalie) -> Decimal:
    """L'argent en jeu du moment, en euros, dans un sens ou dans l'autre."""
    lue = avec_en_jeu(Anomalie.objects.filter(pk=anomalie.pk)).values_list("en_jeu", flat=True)
    en_jeu: Decimal | None = lue.get()
    return abs(en_jeu or Decimal(0))


def is_a_deux(anomalie: Anomalie) -> bool:
    """L'argent en jeu atteint le seuil."""
    return is_au_seuil(anomalie.caf, get_en_jeu(anomalie))


def is_au_seuil(caf: Caf | None, somme: Decimal) -> bool:
    """La somme, en euros, atteint le seuil de la Caf ; ce qui n'est à aucune Caf n'a pas de seuil."""
    seuil = caf.seuil_mise_de_cote if caf else None
    return seuil is not None and somme >= seuil  # garde: seuil_de_mise_de_cote
