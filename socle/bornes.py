"""Borner ce qui coûte : par compte et par adresse, dans le cache que tous les processus partagent."""

from collections.abc import Callable
from typing import Any

from allauth.decorators import rate_limit


def borner(action: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Rend 429 à qui demande trop souvent, en GET aussi.

    :param action: sa borne, dans ACCOUNT_RATE_LIMITS
    """
    decorateur: Callable[[Callable[..., Any]], Callable[..., Any]] = rate_limit(action=action, limit_get=True)
    return decorateur
