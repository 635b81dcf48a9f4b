"""
Ce que nous confions à la plateforme pour pouvoir refaire un paiement dont nous aurions tout perdu (docs/adr/0055).

Des références de dettes et des centimes, dans `vads_order_info` et ses deux suites : rien de la personne. La
plateforme les rend telles quelles (PROTOCOLE §1.4), par REST et au rapprochement bancaire.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from socle.carte import has_numero_de_carte

CHAMPS, LONGUEUR = 3, 255
LIGNE = re.compile(r"(?P<dette>[A-Z0-9-]{1,30})=(?P<centimes>[0-9]{1,9})")


class Contexte(NamedTuple):
    """
    Une démarche, en ce qu'il en faut pour la refaire.

    :param is_global: la personne n'a choisi qu'un montant, la Caf le répartit
    :param lignes: les centimes destinés à chaque dette, par sa référence
    """

    is_global: bool
    lignes: Mapping[str, int]


def write_contexte(is_global: bool, lignes: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """
    Les champs à envoyer, 255 signes chacun ; aucun si tout n'y tient pas, ou si cela ressemble à une carte.

    Un champ libre qui porte un numéro de carte fait refuser le formulaire (PROTOCOLE §1.5, code 999).
    """
    textes = ["G" if is_global else "A"]
    for dette, centimes in lignes:
        ligne = f"{dette}={centimes}"
        if len(textes[-1]) + 1 + len(ligne) > LONGUEUR:
            textes.append("")
        textes[-1] += f",{ligne}"
    if len(textes) > CHAMPS or any(map(has_numero_de_carte, textes)):
        return ()
    return tuple(textes)


def read_contexte(texte: str) -> Contexte | None:
    """Le contexte que la plateforme rend, champs mis bout à bout ; rien s'il n'est pas de nous, ou pas entier."""
    mode, *morceaux = texte.split(",")
    lus = [LIGNE.fullmatch(morceau) for morceau in morceaux]
    if mode not in ("A", "G") or not lus:
        return None
    lignes = {lu["dette"]: int(lu["centimes"]) for lu in lus if lu}
    return Contexte(mode == "G", lignes) if len(lignes) == len(lus) else None
