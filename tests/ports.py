"""Des ports pour les processus d'un essai."""

from outils.systeme import find_port


def tirer_des_ports(combien: int) -> list[int]:
    """Autant de ports libres, tous différents : find_port ne tient pas celui qu'il rend."""
    ports: dict[int, None] = {}
    while len(ports) < combien:
        ports[find_port()] = None
    return list(ports)
