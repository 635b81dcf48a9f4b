"""
Signature des messages PayZen, écrite à part de celle du marchand (PROTOCOLE §2).

La boutique en choisit l'algorithme ; SHA-1, périmé, sert à voir qu'un marchand le refuse.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

HMAC, SHA1 = ALGORITHMES = ("HMAC-SHA-256", "SHA-1")


def calculer(champs: Mapping[str, str], cle: str, algorithme: str = HMAC) -> str:
    """Rend la signature des champs `vads_*`, triés par nom : en base64, ou en hexadécimal pour SHA-1."""
    noms = sorted(nom for nom in champs if nom.startswith("vads_"))
    message = "+".join([*(champs[nom] for nom in noms), cle])
    if algorithme == SHA1:
        return hashlib.sha1(message.encode()).hexdigest()  # noqa: S324 (c'est l'algorithme de la plateforme)
    empreinte = hmac.new(cle.encode(), message.encode(), hashlib.sha256)
    return base64.b64encode(empreinte.digest()).decode()


def signer(champs: Mapping[str, str], cle: str, algorithme: str = HMAC) -> dict[str, str]:
    """Rend les champs avec leur signature."""
    return {**champs, "signature": calculer(champs, cle, algorithme)}


def est_juste(champs: Mapping[str, str], cle: str, algorithme: str = HMAC) -> bool:
    """Compare en temps constant la signature reçue à celle que l'on calcule."""
    return hmac.compare_digest(champs.get("signature", "").encode(), calculer(champs, cle, algorithme).encode())
