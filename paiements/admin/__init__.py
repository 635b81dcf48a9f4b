"""Le bureau des agents : paiements, anomalies, restitutions. On regarde ; ce que l'on peut faire est un bouton."""

from paiements.admin.anomalies import AnomalieAdmin
from paiements.admin.paiements import PaiementAdmin
from paiements.admin.restitutions import DemandeRestitutionAdmin

__all__ = ["AnomalieAdmin", "DemandeRestitutionAdmin", "PaiementAdmin"]
