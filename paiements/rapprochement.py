"""
Comparer, après chaque réponse de la plateforme, ce qu'elle tient d'un paiement et ce que nous en disons.

C'est le filet sous tout le reste : un euro que nos gestes n'auraient pas suivi se voit ici (docs/adr/0046).
"""

from collections.abc import Collection
from decimal import Decimal

from django.db.models import Sum

from paiements import anomalies
from paiements.models import Anomalie, AnomalieQuerySet, DemandeRestitution, Paiement
from paiements.payzen import Fait, get_solde
from paiements.reprise import alleger, get_part
from paiements.statuts import RESTITUABLES, Statut

Genre, Issue = Anomalie.Genre, Anomalie.Issue


def attribuer(paiement: Paiement, faits: Collection[Fait]) -> None:
    """Un crédit dont la plateforme nomme le débit n'est plus ambigu : celui d'un débit à part libère ce débit-là."""
    if paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS).exists():
        return
    for fait in faits:
        if not fait.is_credit_parti or fait.parent in ("", paiement.uuid):
            continue
        alerte = paiement.anomalies.ouvertes().filter(
            genre=Genre.ANNULATION_BANQUE, constat__vu__uuid=fait.uuid, montant=0
        )
        retenue = Anomalie.objects.for_debit(paiement, fait.parent).ouvertes().first()
        if retenue and anomalies.clore_par_la_banque(alerte, motif="crédit d'un autre débit", issue=Issue.CADUQUE):
            alleger(retenue, min(retenue.montant, fait.montant), motif="remboursé à la banque")


def comparer(paiement: Paiement, faits: Collection[Fait]) -> None:
    """
    Ouvre une anomalie si la banque et nous ne tenons pas la même somme ; ferme celles qui n'ont plus lieu d'être.

    Ce qu'un agent a mis de côté est réglé ailleurs : la banque peut le tenir encore, ou non. Un impayé, elle ne le
    montre pas (PROTOCOLE §5).
    """
    if not _is_comparable(paiement):
        return
    banque, nous, a_part = get_solde(faits), _get_notre_solde(paiement), _get_a_part(paiement)
    cle = f"{paiement.reference}:{banque}:{nous}"
    ecarts = paiement.anomalies.filter(genre=Genre.ECART)
    if nous <= banque <= nous + a_part:
        anomalies.clore_par_la_banque(ecarts, motif="les deux sommes s'accordent", issue=Issue.CADUQUE)
        return
    anomalies.clore_par_la_banque(ecarts.exclude(cle=cle), motif="un autre écart l'a remplacé", issue=Issue.CADUQUE)
    anomalies.ouvrir(
        Genre.ECART,
        cle=cle,
        constat={"attendu": {"montant": nous}, "vu": {"montant": banque}, "mis de côté par un agent": a_part},
        montant=max(banque - nous - a_part, Decimal(0)),
        paiement=paiement,
    )


def _is_comparable(paiement: Paiement) -> bool:
    """Ni au milieu d'un geste, ni avant la deuxième source, ni quand la banque tait ce qu'elle a repris."""
    en_cours = paiement.statut == Statut.EN_ATTENTE or (
        paiement.statut == Statut.ACCEPTE and paiement.confirme_le is None
    )
    rendu = paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS)
    return not (en_cours or rendu.exists() or paiement.anomalies.filter(genre=Genre.IMPAYE).exists())


def _get_notre_solde(paiement: Paiement) -> Decimal:
    """Ce que nous disons qu'elle tient : le paiement, ce que les anomalies retiennent, moins ce qu'elles annoncent."""
    ouvertes = paiement.anomalies.ouvertes().select_related("paiement")
    annonce = sum((get_part(alerte) for alerte in ouvertes), Decimal(0))
    net = paiement.net if paiement.statut in RESTITUABLES else Decimal(0)
    return net + _sommer(_get_retenues(paiement).ouvertes()) - annonce


def _get_a_part(paiement: Paiement) -> Decimal:
    return _sommer(_get_retenues(paiement).filter(issue=Issue.ECARTEE))


def _get_retenues(paiement: Paiement) -> AnomalieQuerySet:
    """Un reste est dans le paiement ; un désaccord et un écart parlent d'un argent déjà compté."""
    return Anomalie.objects.filter(paiement=paiement).exclude(genre__in=(Genre.RELIQUAT, Genre.DESACCORD, Genre.ECART))


def _sommer(retenues: AnomalieQuerySet) -> Decimal:
    return retenues.aggregate(somme=Sum("montant"))["somme"] or Decimal(0)
