"""
Reprendre d'un paiement ce que la banque n'en tient plus : une part qu'elle a rendue, un montant qu'elle a baissé.

La banque dit combien, jamais de quelle dette : un agent le dit (docs/adr/0043). Montants en euros.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from demarches.champs import ecrire_euros
from paiements import anomalies
from paiements.constats import accepter
from paiements.imputation import rouvrir
from paiements.models import Anomalie, DemandeRestitution, Imputation, Paiement, Reprise
from paiements.payzen import Fait
from paiements.services import avancer, verrouiller
from paiements.statuts import RESTITUABLES, Geste, Statut

Genre, Issue = Anomalie.Genre, Anomalie.Issue
ZERO = Decimal(0)


class RepriseImpossible(Exception):
    """Cette anomalie, ce montant ou ces dettes ne permettent pas cette reprise."""


def get_part(anomalie: Anomalie) -> Decimal:
    """Ce que la banque ne tient plus d'un paiement d'après cette anomalie, et qui n'en est pas encore repris."""
    paiement, vu = anomalie.paiement, anomalie.constat.get("vu")
    if paiement is None or anomalie.resolue_le or paiement.statut not in RESTITUABLES or not isinstance(vu, dict):
        return ZERO
    if anomalie.genre == Genre.ANNULATION_BANQUE and vu.get("operation") == "CREDIT" and not anomalie.montant:
        return Decimal(vu["montant"])
    if anomalie.genre == Genre.MONTANT_DIFFERENT and (vu["uuid"], vu["devise"]) == (paiement.uuid, "EUR"):
        return max(paiement.montant_debite - Decimal(vu["montant"]), ZERO)
    return ZERO


def get_imputations(paiement: Paiement) -> list[Imputation]:
    """Celles dont il reste à reprendre, la dette la plus récente d'abord : la plus ancienne reste remboursée."""
    imputations = paiement.imputations.select_related("dette").prefetch_related("reprises")
    rangees = imputations.order_by("-dette__notifiee_le", "-dette__solde", "-dette_id")
    return [imputation for imputation in rangees if imputation.reste]


def proposer(anomalie: Anomalie) -> dict[Imputation, Decimal]:
    """Où reprendre la part : d'abord ce qui n'est sur aucune dette, puis la dette la plus récente."""
    if anomalie.paiement is None:
        return {}
    reliquat = _get_reliquat(anomalie.paiement)
    reste = get_part(anomalie) - (reliquat.montant if reliquat else ZERO)
    parts = {}
    for imputation in get_imputations(anomalie.paiement):
        parts[imputation] = max(min(reste, imputation.reste), ZERO)
        reste -= parts[imputation]
    return parts


@transaction.atomic
def reprendre(anomalie: Anomalie, parts: Mapping[int, Decimal], *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Reprend la part que la banque ne tient plus, et clôt l'anomalie qui le disait.

    Ce que les dettes ne portent pas vient de la somme restée sans dette ; avant l'imputation, il en sera porté
    d'autant moins. Tout repris, le paiement est restitué.

    :param parts: ce qu'on reprend à chaque imputation, par sa clé
    :raises RepriseImpossible: si rien n'est à reprendre, si une restitution est en cours, ou si les parts ne vont pas
    """
    paiement, anomalie = _verrouiller(anomalie)
    part = get_part(anomalie)
    if not part:
        raise RepriseImpossible("il n'y a rien à reprendre, ou c'est déjà fait")
    if part > paiement.net:
        raise RepriseImpossible(f"la banque ne tient plus que {ecrire_euros(paiement.net)} de ce paiement")
    choisies = _choisir(paiement, parts)
    sans_dette = part - sum(choisies.values(), ZERO)
    if sans_dette < 0:
        raise RepriseImpossible(f"les montants dépassent les {ecrire_euros(part)} à reprendre")

    for imputation, mouvement in rouvrir(choisies, motif=motif).items():
        Reprise.objects.create(
            paiement=paiement,
            anomalie=anomalie,
            imputation=imputation,
            mouvement=mouvement,
            montant=choisies[imputation],
        )
    if sans_dette:
        _alleger_le_reliquat(paiement, sans_dette, motif=motif)
        Reprise.objects.create(paiement=paiement, anomalie=anomalie, montant=sans_dette)
    _clore(anomalie, paiement, motif=motif, agent=agent)
    return solder(paiement, motif=motif, auteur=agent.identifiant)


def solder(paiement: Paiement, *, motif: str, auteur: str) -> Paiement:
    """S'il ne reste rien d'un paiement, il est restitué. À appeler sous son verrou."""
    if not paiement.net:
        paiement.prochain_controle_le = None
        avancer(Geste.RESTITUER, paiement, motif=motif, auteur=auteur)
    return paiement


def is_a_accepter(anomalie: Anomalie) -> bool:
    """La banque a débité autre chose que demandé, et le paiement n'est pas accepté : un agent peut dire oui."""
    ouverte = anomalie.genre == Genre.MONTANT_DIFFERENT and anomalie.resolue_le is None
    return ouverte and anomalie.paiement is not None and not anomalie.paiement.is_encaisse


@transaction.atomic
def accepter_le_montant(anomalie: Anomalie, faits: Iterable[Fait], *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Prend pour bon le montant, plus petit, que la banque a débité d'un paiement pas encore accepté.

    :param faits: ce que la plateforme vient de redire de ce paiement
    :raises RepriseImpossible: si elle ne tient plus ce débit, ou s'il n'est pas plus petit que demandé
    """
    paiement, anomalie = _verrouiller(anomalie)
    if not is_a_accepter(anomalie):
        raise RepriseImpossible("ce paiement n'attend pas qu'on en accepte le montant")
    fait = next((fait for fait in faits if fait.uuid == anomalie.constat["vu"]["uuid"]), None)
    if fait is None or not fait.is_success or not 0 < fait.montant < paiement.montant:
        raise RepriseImpossible("la banque ne tient pas, pour ce débit, un montant plus petit que demandé")
    if (fait.devise, fait.site, fait.mode) != ("EUR", paiement.boutique, paiement.mode):
        raise RepriseImpossible("ce débit est d'une autre devise, d'une autre boutique ou d'un autre mode")
    accepter(paiement, fait, auteur=agent.identifiant)
    Reprise.objects.create(paiement=paiement, anomalie=anomalie, montant=paiement.montant - fait.montant)
    anomalies.resoudre(anomalie, motif=motif, agent=agent, issue=Issue.ACCEPTEE)
    return paiement


def _verrouiller(anomalie: Anomalie) -> tuple[Paiement, Anomalie]:
    if anomalie.paiement_id is None:
        raise RepriseImpossible("cette anomalie ne parle d'aucun paiement né de ce service")
    paiement = verrouiller(anomalie.paiement_id)
    anomalie = Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)
    if paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS).exists():
        raise RepriseImpossible("une restitution de ce paiement est en cours : ce crédit est peut-être le sien")
    anomalie.paiement = paiement
    return paiement, anomalie


def _choisir(paiement: Paiement, parts: Mapping[int, Decimal]) -> dict[Imputation, Decimal]:
    connues = {imputation.pk: imputation for imputation in get_imputations(paiement)}
    choisies = {}
    for cle, part in parts.items():
        if part < 0 or (part and (cle not in connues or part > connues[cle].reste)):
            raise RepriseImpossible("une dette ne peut rendre plus que ce que ce paiement y a porté")
        if part:
            choisies[connues[cle]] = part
    return choisies


def _get_reliquat(paiement: Paiement) -> Anomalie | None:
    """La somme restée sans dette, même mise de côté, si elle n'est ni placée ni rendue."""
    reliquats = paiement.anomalies.filter(genre=Genre.RELIQUAT)
    return reliquats.exclude(issue__in=(Issue.IMPUTEE, Issue.RESTITUEE)).first()


def _alleger_le_reliquat(paiement: Paiement, montant: Decimal, *, motif: str) -> None:
    if paiement.statut != Statut.IMPUTE:
        return
    reliquat = _get_reliquat(paiement)
    if reliquat is None or reliquat.montant < montant:
        sans_dette = reliquat.montant if reliquat else ZERO
        raise RepriseImpossible(f"{ecrire_euros(montant - sans_dette)} restent à reprendre sur une dette")
    meme = Anomalie.objects.filter(pk=reliquat.pk)
    if reliquat.montant > montant:
        meme.update(montant=reliquat.montant - montant)
    elif not anomalies.clore_par_la_banque(meme, motif=motif):
        meme.update(issue=Issue.RESTITUEE)


def _clore(anomalie: Anomalie, paiement: Paiement, *, motif: str, agent: Utilisateur) -> None:
    """Clôt l'alerte. Un montant baissé clôt aussi celles qui disaient une baisse moindre, et se revérifie."""
    if anomalie.genre != Genre.MONTANT_DIFFERENT:
        anomalies.resoudre(anomalie, motif=motif, agent=agent, issue=Issue.RESTITUEE)
        return
    alertes = paiement.anomalies.ouvertes().filter(genre=Genre.MONTANT_DIFFERENT, constat__vu__uuid=paiement.uuid)
    for alerte in alertes.select_related("paiement"):
        if not get_part(alerte):
            anomalies.resoudre(alerte, motif=motif, agent=agent, issue=Issue.ACCEPTEE)
    if paiement.statut == Statut.ACCEPTE:
        paiement.prochain_controle_le = timezone.now()
        paiement.save(update_fields=["prochain_controle_le"])
