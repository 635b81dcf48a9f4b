"""
Le protocole PayZen, côté marchand : des données en entrée, des données en sortie.

Cette pièce ne connaît ni modèle, ni base, ni réglage. Montants en euros (``Decimal``), dates en UTC.
"""

from paiements.payzen.boutique import Boutique, Mode
from paiements.payzen.contexte import Contexte, read_contexte, write_contexte
from paiements.payzen.fait import EURO, Fait, get_pris
from paiements.payzen.formulaire import Demande, build_form, draw_trans_id
from paiements.payzen.journaux import Journal, JournalIllisible, read_journal
from paiements.payzen.montants import from_centimes, to_centimes
from paiements.payzen.notification import (
    BoutiqueInconnue,
    MessageIllisible,
    ModeInattendu,
    Notification,
    NotificationIncomplete,
    NotificationRefusee,
    PasUneNotification,
    SignatureFausse,
    read_notification,
)
from paiements.payzen.rest import Client, EchecRest, ErreurPlateforme, IdentifiantsRefuses, PlateformeInjoignable
from paiements.payzen.signature import is_signed, sign
from paiements.payzen.statuts import (
    ACCORD,
    ACCORDES,
    ATTENTES,
    CONTRADICTOIRE,
    DOUTEUSES,
    SANS_ARGENT,
    VIVANTS,
    Famille,
    get_famille,
    get_rang,
    unir,
)

__all__ = [
    "ACCORD",
    "ACCORDES",
    "ATTENTES",
    "CONTRADICTOIRE",
    "DOUTEUSES",
    "EURO",
    "SANS_ARGENT",
    "VIVANTS",
    "Boutique",
    "BoutiqueInconnue",
    "Client",
    "Contexte",
    "Demande",
    "EchecRest",
    "ErreurPlateforme",
    "Fait",
    "Famille",
    "IdentifiantsRefuses",
    "Journal",
    "JournalIllisible",
    "MessageIllisible",
    "Mode",
    "ModeInattendu",
    "Notification",
    "NotificationIncomplete",
    "NotificationRefusee",
    "PasUneNotification",
    "PlateformeInjoignable",
    "SignatureFausse",
    "build_form",
    "draw_trans_id",
    "from_centimes",
    "get_famille",
    "get_pris",
    "get_rang",
    "is_signed",
    "read_contexte",
    "read_journal",
    "read_notification",
    "sign",
    "to_centimes",
    "unir",
    "write_contexte",
]
