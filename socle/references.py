"""Références lisibles, dictables au téléphone, sans donnée personnelle (PROTOCOLE §1.3)."""

import secrets

# Ni 0 ni O, ni 1 ni I ni L : on les confond à l'oral et à la relecture.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def draw_reference(prefixe: str) -> str:
    """Tire une référence comme « D-7K4M-2QXZ-9B3T » : douze signes au hasard, soit 59 bits."""
    blocs = ["".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3)]
    return "-".join([prefixe, *blocs])
