"""Les trois livres de l'argent, et ce qui les entoure (docs/adr/0048)."""

from paiements.models.alerte import Alerte
from paiements.models.anomalie import Anomalie, AnomalieQuerySet, EtapeAnomalie
from paiements.models.imputation import Imputation
from paiements.models.jour_clos import JourClos
from paiements.models.journal import JournalPayzen, LigneJournal
from paiements.models.liaison import Liaison
from paiements.models.message import LUES, MessagePayzen
from paiements.models.mise_de_cote import DemandeMiseDeCote
from paiements.models.paiement import EtapePaiement, Paiement, PaiementQuerySet, SoldePaiement
from paiements.models.purge import Purge
from paiements.models.restitution import DemandeCloture, DemandeRestitution, PartRestituee
from paiements.models.ticket import RENVOIS_AU_PLUS, Ticket
from paiements.models.transaction import DebitTenu, Impaye, TransactionPayzen

__all__ = [
    "LUES",
    "RENVOIS_AU_PLUS",
    "Alerte",
    "Anomalie",
    "AnomalieQuerySet",
    "DebitTenu",
    "DemandeCloture",
    "DemandeMiseDeCote",
    "DemandeRestitution",
    "EtapeAnomalie",
    "EtapePaiement",
    "Impaye",
    "Imputation",
    "JourClos",
    "JournalPayzen",
    "Liaison",
    "LigneJournal",
    "MessagePayzen",
    "Paiement",
    "PaiementQuerySet",
    "PartRestituee",
    "Purge",
    "SoldePaiement",
    "Ticket",
    "TransactionPayzen",
]
