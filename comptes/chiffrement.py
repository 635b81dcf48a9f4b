"""Ce que la base garde sans pouvoir le lire : chiffré par une clé tirée de SECRET_KEY."""

import base64

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def chiffrer(texte: str) -> str:
    return _get_serrure().encrypt(texte.encode()).decode()


def dechiffrer(chiffre: str) -> str:
    """
    Rend le texte, chiffré par la clé du jour ou par l'une des précédentes (SECRET_KEY_FALLBACKS).

    :raises cryptography.fernet.InvalidToken: si aucune de ces clés ne l'a chiffré
    """
    return _get_serrure().decrypt(chiffre.encode()).decode()


def rechiffrer(chiffre: str) -> str:
    """Rend le même texte, chiffré par la clé du jour."""
    return _get_serrure().rotate(chiffre.encode()).decode()


def _get_serrure() -> MultiFernet:
    cles = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    empreintes = [salted_hmac("comptes.chiffrement", "", secret=cle, algorithm="sha256").digest() for cle in cles]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(empreinte)) for empreinte in empreintes])
