"""Ce que devient un fait, et l'anomalie qui le confie à un agent quand rien d'autre n'est sûr."""

from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

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
    # Un montant baissé est le même fait, débit autorisé puis remis ; un état inattendu en est un à chaque état.
    cle = f"{fait.uuid}:{fait.montant}" if genre == Anomalie.Genre.MONTANT_DIFFERENT else fait.cle
    anomalies.ouvrir(
        genre,
        cle=f"{paiement.reference}:{cle}",
        constat={"motif": motif, "attendu": attendu, "vu": resumer(fait)},
        montant=_get_retenu(paiement, fait),
        paiement=paiement,
    )
    return Suite(Sort.ANOMALIE, motif)


def faire_relire(paiement: Paiement) -> None:
    """La plateforme est interrogée dès que possible. À appeler sous le verrou du paiement."""
    paiement.prochain_controle_le = timezone.now()
    paiement.save(update_fields=["prochain_controle_le"])


def _get_retenu(paiement: Paiement, fait: Fait) -> Decimal:
    """L'argent que la banque tient sans que nous l'ayons compté : un débit à part, ou un crédit qui revient."""
    if fait.is_success and not paiement.is_encaisse_par(fait.uuid):
        return fait.montant
    revenu = fait.is_credit and fait.famille in SANS_ARGENT
    return fait.montant if revenu and not _is_mort(paiement, fait.parent) else Decimal(0)


def _is_mort(paiement: Paiement, debit: str) -> bool:
    """La banque ne tient plus rien de ce débit : elle l'a défait, ou un impayé l'a repris en entier."""
    defait = Q(cle__startswith=f"{debit}:CANCELLED:") | Q(cle__startswith=f"{debit}:CAPTURE_FAILED:")
    return (debit == paiement.uuid and paiement.is_impaye) or paiement.notifications.filter(defait).exists()


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
