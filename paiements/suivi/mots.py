"""Ce qui se dit d'une demande : sa forme, et les mots que plusieurs phrases partagent."""

from typing import NamedTuple

from django.utils.translation import gettext, gettext_lazy

from paiements.models import Paiement
from socle.euros import ecrire_euros

UN_AGENT = gettext_lazy("Un agent de votre Caf s’en occupe")
RIEN_A_FAIRE = gettext_lazy("Un agent de votre Caf s’en occupe\u00a0: vous n’avez rien à faire.")
A_EXAMINE = gettext_lazy("Un agent de votre Caf l’a examiné\u00a0: pour savoir ce qu’il a décidé, appelez le 3230.")
REVIENT = gettext_lazy("cette somme revient sur la carte qui avait servi à payer, en général en quelques jours")


class Progres(NamedTuple):
    """
    Ce qu'une personne doit savoir de sa demande.

    :param ton: info, attention, succes ou erreur
    :param suite: ce qui va se passer, ou ce qu'il y a à faire, une phrase par élément
    :param is_a_recommencer: elle n'a pas abouti, et peut se recommencer une fois, tout déjà rempli
    :param is_a_repondre: la personne peut dire si elle a terminé le paiement
    """

    ton: str
    titre: str
    phrase: str
    suite: list[str]
    is_a_recommencer: bool = False
    is_a_repondre: bool = False


def dire_le_rendu(paiement: Paiement) -> str:
    """Ce que la Caf a rendu d'un autre débit que celui du paiement."""
    return gettext("La Caf vous a rendu {rendu}, débités en trop\u00a0: {revient}.").format(
        rendu=ecrire_euros(paiement.rendu_a_part), revient=REVIENT
    )
