"""Django cherche ici les fiches du bureau : elles sont dans `paiements.bureau`."""

from paiements.bureau.anomalies import AnomalieAdmin
from paiements.bureau.paiements import PaiementAdmin
from paiements.bureau.restitutions import DemandeClotureAdmin, DemandeRestitutionAdmin

__all__ = ["AnomalieAdmin", "DemandeClotureAdmin", "DemandeRestitutionAdmin", "PaiementAdmin"]
