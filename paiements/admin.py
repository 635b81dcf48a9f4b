"""Django cherche ici les fiches du bureau : elles sont dans `paiements.bureau`."""

from paiements.bureau.allocataires import AllocataireAdmin
from paiements.bureau.anomalies import AnomalieAdmin
from paiements.bureau.cafs import CafAdmin
from paiements.bureau.dettes import DetteAdmin
from paiements.bureau.paiements import PaiementAdmin
from paiements.bureau.restitutions import DemandeClotureAdmin, DemandeMiseDeCoteAdmin, DemandeRestitutionAdmin

__all__ = [
    "AllocataireAdmin",
    "AnomalieAdmin",
    "CafAdmin",
    "DemandeClotureAdmin",
    "DemandeMiseDeCoteAdmin",
    "DemandeRestitutionAdmin",
    "DetteAdmin",
    "PaiementAdmin",
]
