"""À partir de quelle somme un geste qui sort de l'argent des comptes demande deux personnes : le seuil de la Caf."""

from decimal import Decimal

from comptes.models import Caf
from paiements.file.en_jeu import avec_en_jeu
from paiements.models import Anomalie


def get_en_jeu(anomalie: Anomalie) -> Decimal:
    """L'argent en jeu du moment, en euros, dans un sens ou dans l'autre ; zéro s'il ne se compte pas en euros."""
    return _compter(anomalie) or Decimal(0)


def is_a_deux(anomalie: Anomalie) -> bool:
    """L'argent en jeu atteint le seuil, ou ne se compte pas : une autre devise, un écart sans transaction connue."""
    somme = _compter(anomalie)
    if somme is None and anomalie.is_ouverte and anomalie.genre in Anomalie.D_ARGENT:  # garde: somme_inconnue_a_deux
        return anomalie.caf is not None and anomalie.caf.seuil_mise_de_cote is not None
    return is_au_seuil(anomalie.caf, somme or Decimal(0))


def _compter(anomalie: Anomalie) -> Decimal | None:
    lue = avec_en_jeu(Anomalie.objects.filter(pk=anomalie.pk)).values_list("en_jeu", flat=True)
    en_jeu: Decimal | None = lue.get()
    return None if en_jeu is None else abs(en_jeu)


def is_au_seuil(caf: Caf | None, somme: Decimal) -> bool:
    """La somme, en euros, atteint le seuil de la Caf ; ce qui n'est à aucune Caf n'a pas de seuil."""
    seuil = caf.seuil_mise_de_cote if caf else None
    return seuil is not None and somme >= seuil  # garde: seuil_de_mise_de_cote
