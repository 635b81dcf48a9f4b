"""Des mots de passe que l'on peut dicter."""

import secrets

CONSONNES = "bdfgklmnprstvz"
VOYELLES = "aeiou"


def tirer_mot_de_passe() -> str:
    """Quatre mots inventés de deux syllabes : « bato-kelu-rimo-safe », soit 49 bits de hasard."""
    return "-".join("".join(_tirer_syllabe() for _ in range(2)) for _ in range(4))


def _tirer_syllabe() -> str:
    return secrets.choice(CONSONNES) + secrets.choice(VOYELLES)
