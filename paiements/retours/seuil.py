"""À partir de quelle somme un geste qui sort de l'argent des comptes demande deux personnes : le seuil de la Caf."""

from decimal import Decimal

from comptes.models import Caf
from paiements.file.en_jeu import avec_en_jeu
from paiements.models import Anomalie


def get_en_jeu(anomalie: Anomalie) -> Decimal | None:
    """L'argent en jeu du moment, en euros, dans un sens ou dans l'autre ; None s'il ne se compte pas en euros."""
    lue = avec_en_jeu(Anomalie.objects.filter(pk=anomalie.pk)).values_list("en_jeu", flat=True)
    en_jeu: Decimal | None = lue.get()
    return None if en_jeu is None else abs(en_jeu)


def is_a_deux(anomalie: Anomalie) -> bool:
    """L'argent en jeu atteint le seuil, ou ne se compte pas : une autre devise, un écart sans transaction connue."""
    is_d_argent = anomalie.is_ouverte and anomalie.genre in Anomalie.D_ARGENT
    return is_au_seuil(anomalie.caf, get_en_jeu(anomalie) if is_d_argent else Decimal(0))


def is_au_seuil(caf: Caf | None, somme: Decimal | None) -> bool:
    """
    La somme, en euros, atteint le seuil de la Caf ; ce qui n'est à aucune Caf n'a pas de seuil.

    :param somme: None si elle ne se compte pas en euros : dès qu'il y a un seuil, il y faut deux personnes
    """
    seuil = caf.seuil_mise_de_cote if caf else None
    if seuil is None:
        return False
    return somme is None or somme >= seuil  # garde: seuil_de_mise_de_cote, somme_inconnue_a_deux
