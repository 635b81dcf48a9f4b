"""La signature HMAC-SHA-256 des messages ``vads_`` (PROTOCOLE §2). SHA-1 n'est jamais accepté."""

import base64
import hmac
from collections.abc import Mapping


def sign(champs: Mapping[str, str], cle: str) -> str:
    """
    Signature en base64 (44 caractères) de tous les champs ``vads_``, vides compris ; les autres ne comptent pas.

    Les noms ne sont pas signés et un « + » dans une valeur n'est pas protégé : deux messages différents peuvent porter
    la même signature (PROTOCOLE §2.4). Qui lit un message signé compare donc ses champs à ce qu'il a en base.
    """
    valeurs = [champs[nom] for nom in sorted(champs) if nom.startswith("vads_")]
    message = "+".join([*valeurs, cle])
    return base64.b64encode(hmac.digest(cle.encode(), message.encode(), "sha256")).decode()


def is_signed(champs: Mapping[str, str], signature: str, cle: str) -> bool:
    """Vrai si la signature est juste ; la comparaison prend le même temps où que soit la différence."""
    return hmac.compare_digest(sign(champs, cle).encode(), signature.encode())
