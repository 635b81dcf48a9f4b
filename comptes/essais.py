"""
Les essais manqués se comptent par compte et par adresse : celui d'un inconnu ne coûte rien au titulaire.

Ni l'hôte ni le port demandés n'y entrent : l'appelant les choisit.
"""

from allauth.core import ratelimit

# Une adresse IPv6 y vaut son réseau : un abonné en a des milliards.
from allauth.core.internal.ratelimit import get_ip
from django.http import HttpRequest

from comptes.identifiants import normaliser


def get_cle(request: HttpRequest, identifiant: str) -> str:
    return f"{normaliser(identifiant)} {get_ip(request)}"


def oublier_les_codes(request: HttpRequest, identifiant: str) -> None:
    """Le code était bon : les essais qui l'ont précédé ne comptent plus."""
    ratelimit.clear(request, action="code_activation", key=get_cle(request, identifiant))


def compter_un_code(request: HttpRequest, identifiant: str) -> bool:
    """Compte un essai du code d'activation ; faux s'il y en a eu trop (ACCOUNT_RATE_LIMITS)."""
    return bool(ratelimit.consume(request, action="code_activation", key=get_cle(request, identifiant)))
