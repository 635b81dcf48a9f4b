"""Des fichiers CSV qu'un tableur peut ouvrir sans rien exécuter."""

import re

DECLENCHEURS = ("=", "+", "-", "@", "\t", "\r")


def neutralize(valeur: object) -> str:
    """Met une apostrophe devant ce qu'un tableur prendrait pour une formule ; le reste est rendu tel quel."""
    texte = str(valeur)
    return f"'{texte}" if texte.startswith(DECLENCHEURS) else texte


# Un tableur en ferait un nombre, sans ses zéros de tête, ou une date.
NOMBRE_OU_DATE = re.compile(r"\d[\d.,/:E+ -]*", re.IGNORECASE)


def to_texte(valeur: object) -> str:
    """Comme `neutralize`, et met aussi l'apostrophe devant ce dont il ferait un nombre ou une date : « '0000354 »."""
    texte = neutralize(valeur)
    return f"'{texte}" if NOMBRE_OU_DATE.fullmatch(texte) else texte
