"""Ce que devient un fait, et l'anomalie qui le confie à un agent quand rien d'autre n'est sûr."""

from decimal import Decimal
from typing import NamedTuple

from paiements import anomalies
from paiements.models import Anomalie, NotificationPayzen, Paiement
from paiements.payzen import SANS_ARGENT, Fait

Sort = NotificationPayzen.Sort


class Suite(NamedTuple):
    """Le sort d'un fait et sa raison."""

    sort: NotificationPayzen.Sort
    motif: str = ""


def confier(genre: Anomalie.Genre, paiement: Paiement, fait: Fait, motif: str) -> Suite:
    """Ouvre l'anomalie avec les deux valeurs ; elle retient l'argent que la banque a pris ou rendu."""
    attendu = {
        "statut": paiement.statut,
        "montant": paiement.montant,
        "uuid": paiement.uuid,
        "boutique": paiement.boutique,
        "mode": paiement.mode,
        "trans_id": paiement.trans_id,
    }
    debit_a_part = fait.is_success and not paiement.is_encaisse_par(fait.uuid)
    credit_defait = fait.is_credit and fait.famille in SANS_ARGENT
    retenu = fait.montant if debit_a_part or credit_defait else Decimal(0)
    # Un montant baissé est le même fait, débit autorisé puis remis ; un état inattendu en est un à chaque état.
    cle = f"{fait.uuid}:{fait.montant}" if genre == Anomalie.Genre.MONTANT_DIFFERENT else fait.cle
    anomalies.ouvrir(
        genre,
        cle=f"{paiement.reference}:{cle}",
        constat={"motif": motif, "attendu": attendu, "vu": resumer(fait)},
        montant=retenu,
        paiement=paiement,
    )
    return Suite(Sort.ANOMALIE, motif)


def resumer(fait: Fait) -> dict[str, object]:
    """Ce qu'un fait dit, à consigner ou à montrer ; rien de la carte ni de la personne."""
    return {
        "reference": fait.reference,
        "statut": fait.statut,
        "operation": fait.operation,
        "montant": fait.montant,
        "devise": fait.devise,
        "uuid": fait.uuid,
        "parent": fait.parent,
        "boutique": fait.site,
        "mode": fait.mode,
        "trans_id": fait.trans_id,
    }
