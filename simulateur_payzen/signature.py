"""Signature des messages PayZen, écrite à part de celle du marchand (PROTOCOLE §2)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping


def calculer(champs: Mapping[str, str], cle: str) -> str:
    """Rend la signature HMAC-SHA-256 en base64 des champs `vads_*`, triés par nom."""
    noms = sorted(nom for nom in champs if nom.startswith("vads_"))
    message = "+".join([*(champs[nom] for nom in noms), cle])
    empreinte = hmac.new(cle.encode(), message.encode(), hashlib.sha256)
    return base64.b64encode(empreinte.digest()).decode()


def signer(champs: Mapping[str, str], cle: str) -> dict[str, str]:
    """Rend les champs avec leur signature."""
    return {**champs, "signature": calculer(champs, cle)}


def est_juste(champs: Mapping[str, str], cle: str) -> bool:
    """Compare en temps constant la signature reçue à celle que l'on calcule."""
    return hmac.compare_digest(champs.get("signature", "").encode(), calculer(champs, cle).encode())
