"""La file des agents : ouvrir une anomalie, une seule fois par fait ; la clore, avec son motif."""

import logging
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from comptes.models import Caf, Utilisateur
from dettes.models import Dette
from paiements.models import Anomalie, AnomalieQuerySet, DemandeRestitution, Paiement

logger = logging.getLogger(__name__)


class DejaResolue(Exception):
    """Un autre agent a déjà clos cette anomalie."""


class RestitutionEnCours(DejaResolue):
    """L'argent de cette anomalie est en train d'être rendu : il ne va nulle part ailleurs."""


def ouvrir(
    genre: Anomalie.Genre,
    *,
    cle: str,
    constat: dict[str, object],
    montant: Decimal = Decimal(0),
    paiement: Paiement | None = None,
    dette: Dette | None = None,
    caf: Caf | None = None,
) -> Anomalie:
    """
    Ouvre une anomalie, ou retrouve celle déjà ouverte pour le même fait.

    :param cle: ce qui fait que deux constats sont le même
    :param constat: ce qu'on attendait et ce qu'on a vu ; aucune donnée de carte, aucun nom
    :param montant: l'argent sans case qu'elle retient, en euros
    """
    if paiement is not None:
        caf = paiement.caf
    elif dette is not None:
        caf = dette.caf
    anomalie, nouvelle = Anomalie.objects.get_or_create(
        genre=genre,
        cle=cle,
        defaults={"constat": constat, "montant": montant, "paiement": paiement, "dette": dette, "caf": caf},
    )
    if nouvelle:
        logger.warning("anomalie ouverte", extra={"genre": genre, "cle": cle, "anomalie": anomalie.pk})
    return anomalie


@transaction.atomic
def resoudre(
    anomalie: Anomalie, *, motif: str, agent: Utilisateur, issue: Anomalie.Issue, rouvrir: bool = False
) -> Anomalie:
    """
    Clôt une anomalie. Le motif dit ce qui a été fait, l'issue où est allé l'argent.

    :param rouvrir: revenir sur une anomalie mise de côté ; ce qu'on en avait dit reste écrit
    :raises DejaResolue: si un autre agent est passé avant
    :raises RestitutionEnCours: si son argent est en train d'être rendu
    """
    anomalie = Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)
    ecartee = rouvrir and anomalie.issue == Anomalie.Issue.ECARTEE
    if anomalie.resolue_le is not None and not ecartee:
        raise DejaResolue(f"elle est déjà close, {anomalie.get_issue_display()}")
    en_cours = anomalie.restitutions.filter(etat__in=DemandeRestitution.EN_COURS)
    if issue != Anomalie.Issue.RESTITUEE and en_cours.exists():
        raise RestitutionEnCours("une restitution de cet argent est en cours")
    anomalie.resolue_le = timezone.now()
    anomalie.resolue_par = agent
    anomalie.issue = issue
    anomalie.resolution = f"{anomalie.resolution} Puis : {motif}" if ecartee else motif
    anomalie.save(update_fields=["resolue_le", "resolue_par", "issue", "resolution"])
    logger.info("anomalie résolue", extra={"anomalie": anomalie.pk, "genre": anomalie.genre})
    return anomalie


def clore_par_la_banque(
    closes: AnomalieQuerySet, *, motif: str, issue: Anomalie.Issue = Anomalie.Issue.RESTITUEE
) -> int:
    """Clôt celles que la banque a réglées, d'ordinaire en reprenant l'argent qu'elles retenaient. Rend leur nombre."""
    return closes.ouvertes().update(resolue_le=timezone.now(), issue=issue, resolution=motif)


def rendre(retenues: AnomalieQuerySet, *, motif: str, issue: Anomalie.Issue = Anomalie.Issue.RESTITUEE) -> int:
    """L'argent de ces anomalies est reparti, même celui qu'un agent avait mis de côté. Rend leur nombre."""
    closes = clore_par_la_banque(retenues, motif=motif, issue=issue)
    return closes + retenues.filter(issue=Anomalie.Issue.ECARTEE).update(issue=issue)


def signaler_solde_negatif(sender: object, *, dette: Dette, montant: Decimal, origine: str, **kwargs: object) -> None:
    """
    Le fichier de la Caf, moins nos imputations, mène une dette sous zéro : elle est à zéro, un agent regarde.

    :param montant: ce qui manque, en euros, positif : l'allocataire a payé d'autant en trop
    """
    cle = f"{dette.pk}:{origine}"
    autres = Anomalie.objects.filter(genre=Anomalie.Genre.SOLDE_NEGATIF, dette=dette).exclude(cle=cle)
    clore_par_la_banque(autres, motif="la Caf dit un autre manque", issue=Anomalie.Issue.CADUQUE)
    ouvrir(
        Anomalie.Genre.SOLDE_NEGATIF,
        cle=cle,
        constat={"origine": origine, "manque": montant},
        montant=montant,
        dette=dette,
    )
