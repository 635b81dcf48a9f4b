"""Le cache compte les essais de connexion. Redis éteint, on se connecte encore (docs/adr/0020)."""

import logging
import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

REPOS = 10  # secondes


class CacheTolerant(RedisCache):
    """
    Redis tant qu'il répond ; sinon la mémoire du processus, qui compte alors seul, mais compte.

    Muet, il n'est redemandé que dix secondes plus tard : une connexion l'interroge une douzaine de fois.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._secours = LocMemCache("secours", {})
        self._muet_jusqu_a = 0.0

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._tenter("add", key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._tenter("get", key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        self._tenter("set", key, value, timeout, version)

    def delete(self, key: Any, version: Any = None) -> bool:
        return bool(self._tenter("delete", key, version))

    def _tenter(self, operation: str, *args: Any) -> Any:
        if time.monotonic() < self._muet_jusqu_a:
            return getattr(self._secours, operation)(*args)
        try:
            return getattr(super(), operation)(*args)
        except RedisError:
            self._muet_jusqu_a = time.monotonic() + REPOS
            logger.warning("cache injoignable : ce processus compte seul", extra={"operation": operation})
            return getattr(self._secours, operation)(*args)
