"""Ce que devient un fichier, compté ligne à ligne."""

from dataclasses import dataclass


@dataclass
class Bilan:
    """Ce que devient un fichier, en nombre de lignes. `changes` ne compte que des lignes du fichier."""

    lus: int = 0
    crees: int = 0
    changes: int = 0
    rejetes: int = 0

    @property
    def inchanges(self) -> int:
        return self.lus - self.crees - self.changes - self.rejetes
