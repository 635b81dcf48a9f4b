"""
Comparer, après chaque réponse de la plateforme, ce qu'elle tient d'un paiement et ce que nous en disons.

C'est le filet sous tout le reste : un euro que nos gestes n'auraient pas suivi se voit ici (docs/adr/0046).
"""

from collections.abc import Collection
from decimal import Decimal

from django.db.models import Q, Sum

from paiements import anomalies
from paiements.imputation import contrepasser
from paiements.models import Anomalie, AnomalieQuerySet, DemandeRestitution, Paiement
from paiements.payzen import Fait, get_solde
from paiements.reprise import get_a_reprendre, prendre
from paiements.services import avancer
from paiements.statuts import RESTITUABLES, Geste, Statut

Genre, Issue = Anomalie.Genre, Anomalie.Issue
REMBOURSE = "remboursé à la banque"


def attribuer(paiement: Paiement, faits: Collection[Fait]) -> None:
    """
    Tranche les alertes des crédits dont la plateforme nomme le débit.

    Celui d'un débit qui n'est pas, ou plus, sur les dettes libère ce débit-là. Quand du nôtre il ne reste rien, le
    paiement est restitué ; une part attend un agent, qui dit de quelles dettes. Pendant que notre ordre est en route,
    tout attend sa réponse.
    """
    en_route = (DemandeRestitution.Etat.APPROUVEE, DemandeRestitution.Etat.ENVOYEE)
    if paiement.restitutions.filter(etat__in=en_route).exists():
        return
    debits = {fait: fait.parent or _get_seul_debit(faits) for fait in faits if fait.is_credit_parti}
    notre = paiement.uuid if paiement.statut in RESTITUABLES else None
    for credit, debit in debits.items():
        if debit not in ("", notre):
            _liberer(paiement, credit, debit)
    siens = [credit for credit, debit in debits.items() if debit == notre]
    if _is_tout_rendu(paiement, siens, faits):
        _restituer(paiement, siens)


def _is_tout_rendu(paiement: Paiement, siens: Collection[Fait], faits: Collection[Fait]) -> bool:
    debite = sum(fait.montant for fait in faits if fait.is_success and fait.uuid == paiement.uuid)
    return sum(credit.montant for credit in siens) >= debite > 0


def _get_seul_debit(faits: Collection[Fait]) -> str:
    """Le débit d'un crédit dont la plateforme tait l'origine, s'il ne peut y en avoir qu'un ; sinon rien."""
    debits = {fait.uuid for fait in faits if fait.is_success}
    return debits.pop() if len(debits) == 1 else ""


def _get_alertes(paiement: Paiement, credits_partis: Collection[Fait]) -> AnomalieQuerySet:
    uuids = [credit.uuid for credit in credits_partis]
    alertes = paiement.anomalies.filter(genre=Genre.ANNULATION_BANQUE, constat__vu__uuid__in=uuids, montant=0)
    return alertes.filter(issue__in=("", Issue.ECARTEE))


def _liberer(paiement: Paiement, credit: Fait, debit: str) -> None:
    """Ce qui retenait ce débit, même mis de côté, retient d'autant moins."""
    alerte = _get_alertes(paiement, [credit]).first()
    if alerte is None:
        return
    # L'agent ne le reprendra pas sur un autre ; et si la banque le défait, c'est celui-là qu'elle tiendra de nouveau.
    alerte.constat["vu"]["parent"] = debit
    alerte.save(update_fields=["constat"])
    retenues = Anomalie.objects.for_debit(paiement, debit).filter(issue__in=("", Issue.ECARTEE))
    if not retenues.exists():
        return
    anomalies.rendre(_get_alertes(paiement, [credit]), motif="crédit d'un autre débit")
    prendre(retenues.order_by("pk"), credit.montant, motif=REMBOURSE)


def _restituer(paiement: Paiement, credits_partis: Collection[Fait]) -> None:
    contrepasser(paiement, motif=REMBOURSE)
    anomalies.rendre(_get_alertes(paiement, credits_partis), motif=REMBOURSE)
    anomalies.rendre(Anomalie.objects.for_debit(paiement, paiement.uuid or ""), motif=REMBOURSE)
    avancer(Geste.RESTITUER, paiement, motif=REMBOURSE, auteur="PayZen")


def comparer(paiement: Paiement, faits: Collection[Fait]) -> None:
    """
    Ouvre une anomalie si la banque et nous ne tenons pas la même somme ; ferme celles qui n'ont plus lieu d'être.

    Ce qu'un agent a mis de côté est réglé ailleurs : la banque peut le tenir encore, ou non. Un impayé, elle ne le
    montre pas (PROTOCOLE §5).
    """
    if not _is_comparable(paiement) or is_lecture_en_retard(paiement, faits):
        return
    if paiement.is_impaye:
        # La banque tait l'impayé : son débit et ce qu'elle en rend ne disent plus rien, les autres si.
        if any(fait.is_credit_parti and not fait.parent for fait in faits):
            return
        faits = [fait for fait in faits if paiement.uuid not in (fait.uuid, fait.parent)]
    banque, nous, a_part = get_solde(faits), _get_notre_solde(paiement), _get_a_part(paiement, faits)
    ecarts = paiement.anomalies.filter(genre=Genre.ECART)
    if nous <= banque <= nous + a_part:
        anomalies.rendre(ecarts, motif="les deux sommes s'accordent", issue=Issue.CADUQUE)
        return
    cle = f"{paiement.reference}:{banque}:{nous}:"
    autres = ecarts.exclude(cle__startswith=cle)
    anomalies.rendre(autres, motif="un autre écart l'a remplacé", issue=Issue.CADUQUE)
    # Mis de côté, le même écart ne se redit pas ; disparu, ou rendu, puis revenu, il se redit.
    dernier = ecarts.order_by("pk").last()
    if dernier and dernier.cle.startswith(cle) and dernier.issue in ("", Issue.ECARTEE):
        return
    anomalies.ouvrir(
        Genre.ECART,
        cle=f"{cle}{ecarts.count()}",
        constat={"attendu": {"montant": nous}, "vu": {"montant": banque}, "mis de côté par un agent": a_part},
        montant=max(banque - nous - a_part, Decimal(0)),
        paiement=paiement,
    )


def _is_comparable(paiement: Paiement) -> bool:
    """Ni au milieu d'un geste, ni avant la deuxième source."""
    en_cours = paiement.statut == Statut.EN_ATTENTE or (
        paiement.statut == Statut.ACCEPTE and paiement.confirme_le is None
    )
    rendu = paiement.restitutions.filter(etat=DemandeRestitution.Etat.ENVOYEE)
    return not (en_cours or rendu.exists())


def is_lecture_en_retard(paiement: Paiement, faits: Collection[Fait]) -> bool:
    """La plateforme a exécuté un de nos ordres, et sa lecture ne le montre pas encore (PROTOCOLE §12)."""
    faites = paiement.restitutions.filter(etat=DemandeRestitution.Etat.FAITE).values_list("uuid", flat=True)
    return not set(faites) <= {fait.uuid for fait in faits}


def _get_notre_solde(paiement: Paiement) -> Decimal:
    """Ce que nous disons qu'elle tient : le paiement, ce que les anomalies retiennent, moins ce qu'elles annoncent."""
    net = paiement.net if paiement.statut in RESTITUABLES else Decimal(0)
    return net + _sommer(_get_retenues(paiement).ouvertes()) - get_a_reprendre(paiement)


def _get_a_part(paiement: Paiement, faits: Collection[Fait]) -> Decimal:
    """Ce qu'un agent a mis de côté de débits encore vivants à la banque : elle le tient peut-être encore."""
    vivants = [fait.uuid for fait in faits if fait.is_success]
    a_elle = Q(constat__vu__uuid__in=vivants) | Q(constat__vu__parent__in=vivants)
    return _sommer(_get_retenues(paiement).filter(a_elle, issue=Issue.ECARTEE))


def _get_retenues(paiement: Paiement) -> AnomalieQuerySet:
    """Un reste est dans le paiement ; un désaccord et un écart parlent d'un argent déjà compté."""
    return Anomalie.objects.filter(paiement=paiement).exclude(genre__in=(Genre.RELIQUAT, Genre.DESACCORD, Genre.ECART))


def _sommer(retenues: AnomalieQuerySet) -> Decimal:
    return retenues.aggregate(somme=Sum("montant"))["somme"] or Decimal(0)
