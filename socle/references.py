"""Références lisibles, dictables au téléphone, sans donnée personnelle (PROTOCOLE §1.3)."""

import re
import secrets

# Ni 0 ni O, ni 1 ni I ni L : on les confond à l'oral et à la relecture.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def draw_reference(prefixe: str) -> str:
    """Tire une référence comme « D-7K4M-2QXZ-9B3T » : douze signes au hasard, soit 59 bits."""
    blocs = ["".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3)]
    return "-".join([prefixe, *blocs])


def is_reference(texte: str) -> bool:
    """Vrai si nous aurions pu tirer cette référence."""
    bloc = f"[{ALPHABET}]{{4}}"
    return re.fullmatch(f"[A-Z]-{bloc}-{bloc}-{bloc}", texte) is not None
