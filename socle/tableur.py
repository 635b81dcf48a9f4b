"""Des fichiers CSV qu'un tableur peut ouvrir sans rien exécuter."""

DECLENCHEURS = ("=", "+", "-", "@", "\t", "\r")


def neutralize(valeur: object) -> str:
    """Met une apostrophe devant ce qu'un tableur prendrait pour une formule ; le reste est rendu tel quel."""
    texte = str(valeur)
    return f"'{texte}" if texte.startswith(DECLENCHEURS) else texte
