"""L'argent : un paiement et ce qui lui arrive (`paiement`), ce qui demande un agent (`anomalie`)."""

from paiements.models.anomalie import Anomalie, AnomalieQuerySet, DemandeRestitution, Reprise
from paiements.models.paiement import (
    EtapePaiement,
    Imputation,
    NotificationPayzen,
    Paiement,
    PaiementQuerySet,
    Ticket,
    draw_paiement,
)

__all__ = [
    "Anomalie",
    "AnomalieQuerySet",
    "DemandeRestitution",
    "EtapePaiement",
    "Imputation",
    "NotificationPayzen",
    "Paiement",
    "PaiementQuerySet",
    "Reprise",
    "Ticket",
    "draw_paiement",
]
