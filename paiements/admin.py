"""Django cherche ici les fiches du bureau : elles sont dans `paiements.bureau`."""

from paiements.bureau.allocataires import AllocataireAdmin
from paiements.bureau.anomalies import AnomalieAdmin
from paiements.bureau.dettes import DetteAdmin
from paiements.bureau.paiements import PaiementAdmin
from paiements.bureau.restitutions import DemandeClotureAdmin, DemandeRestitutionAdmin

__all__ = [
    "AllocataireAdmin",
    "AnomalieAdmin",
    "DemandeClotureAdmin",
    "DemandeRestitutionAdmin",
    "DetteAdmin",
    "PaiementAdmin",
]
