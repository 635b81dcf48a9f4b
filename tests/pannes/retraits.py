"""Comment se retire une garde : la ligne du code qu'elle marque, sans elle."""

import re
from collections.abc import Callable

Retrait = Callable[[str], str]


def oter(ligne: str) -> str:
    """L'instruction n'a plus lieu."""
    return re.sub(r"\S.*", "pass", ligne)


def faux(ligne: str) -> str:
    """La condition n'est jamais vraie."""
    return re.sub(r"\b(if|elif) .*:", r"\1 False:", ligne)


def vrai(ligne: str) -> str:
    """La condition l'est toujours."""
    return re.sub(r"\b(if|elif) .*:", r"\1 True:", ligne)


def sans_verrou(ligne: str) -> str:
    return re.sub(r"\.select_for_update\((?:[^()]|\([^()]*\))*\)| FOR NO KEY UPDATE OF \w+", "", ligne)


def remplacer(avant: str, apres: str) -> Retrait:
    return lambda ligne: ligne.replace(avant, apres)
