"""Tenir debout : ce qui meurt est relancé aussitôt, et dit ; ce qui ne tient pas arrête tout, avec sa raison."""

import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import NamedTuple

from outils.processus import Equipe
from outils.systeme import Empechement, wait_until

# Relancé six fois en une minute, il ne tient pas : recommencer ne ferait que remplir son journal.
RELANCES, FENETRE_S = 5, 60
# Une base tuée laisse ses enfants un instant : elle refuse de repartir avant leur fin.
DELAI_DE_REPRISE_S = 30


class Service(NamedTuple):
    """Une base ou un courtier que nous avons lancés, hors de l'équipe."""

    is_alive: Callable[[], bool]
    restart: Callable[[], object]


class Gardien:
    """Surveille une équipe et les services dont elle dépend."""

    def __init__(self, equipe: Equipe, services: dict[str, Service], expliquer: Callable[[str], Empechement]) -> None:
        self.equipe = equipe
        self.services = services
        self.expliquer = expliquer
        self.morts: defaultdict[str, deque[float]] = defaultdict(deque)

    def tenir(self) -> None:
        """
        Relance sans fin ce qui meurt.

        :raises Empechement: si l'un meurt sans cesse
        """
        while True:
            self.relever()
            time.sleep(0.5)

    def relever(self) -> list[str]:
        """Relance ce qui est mort à cet instant ; rend les noms."""
        releves = [nom for nom, service in self.services.items() if not service.is_alive()]
        for nom in releves:
            self._compter(nom)
            if not wait_until(lambda nom=nom: self._reprendre(nom), DELAI_DE_REPRISE_S):  # type: ignore[misc]
                self.services[nom].restart()  # lève, et dit pourquoi
        while mort := self.equipe.find_dead():
            self._compter(mort)
            self.equipe.restart(mort)
            releves.append(mort)
        return releves

    def _reprendre(self, nom: str) -> bool:
        try:
            self.services[nom].restart()
        except Empechement:
            return False
        return True

    def _compter(self, nom: str) -> None:
        maintenant, morts = time.monotonic(), self.morts[nom]
        morts.append(maintenant)
        while morts[0] < maintenant - FENETRE_S:
            morts.popleft()
        if len(morts) > RELANCES:
            raise self.expliquer(nom)
        print(f"« {nom} » s'est arrêté : relancé.", flush=True)
