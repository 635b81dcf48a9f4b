"""Entrer pour de vrai, par les pages du service : le mot de passe, puis le code de l'application."""

import base64
import hashlib
import hmac
import struct
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from comptes.models import Utilisateur
from tests.factories import MOT_DE_PASSE

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PERIODE = 30  # secondes


def entrer(client: Client, identifiant: str, mot_de_passe: str = MOT_DE_PASSE) -> HttpResponse:
    """Donne un identifiant et un mot de passe à la page de connexion."""
    return client.post(reverse("account_login"), {"login": identifiant, "password": mot_de_passe})


def poser_un_totp(utilisateur: Utilisateur) -> Authenticator:
    """L'application d'authentification d'un agent, déjà activée."""
    return Authenticator.objects.create(
        user=utilisateur, type=Authenticator.Type.TOTP, data={"secret": encrypt(SECRET)}
    )


def entrer_en_agent(client: Client, utilisateur: Utilisateur) -> Utilisateur:
    """Un agent ou un opérateur à son bureau : mot de passe, puis code ; un code déjà donné ne ressert pas."""
    if not Authenticator.objects.filter(user=utilisateur).exists():
        poser_un_totp(utilisateur)
    entrer(client, utilisateur.identifiant)
    reponses = (donner_le_code(client, decalage) for decalage in (0, 1, -1))
    assert any(reponse.status_code == 302 for reponse in reponses), "aucun code n'a été accepté"
    return utilisateur


def donner_le_code(client: Client, decalage: int = 0, nom: str = "mfa_authenticate") -> HttpResponse:
    """Donne le code que montre l'application, à `decalage` périodes d'ici."""
    return client.post(reverse(nom), {"code": calculer_code(SECRET, decalage)})


def calculer_code(secret: str, decalage: int = 0) -> str:
    """Le code à usage unique de l'instant (RFC 6238 : trente secondes, six chiffres)."""
    compteur = struct.pack(">Q", int(time.time()) // PERIODE + decalage)
    empreinte = hmac.digest(base64.b32decode(secret), compteur, hashlib.sha1)
    debut = empreinte[-1] & 0x0F
    return f"{(struct.unpack('>I', empreinte[debut : debut + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"
