"""
Reprendre d'un paiement ce que la banque n'en tient plus : une part qu'elle a rendue, un montant qu'elle a baissé.

La banque dit combien, jamais de quelle dette : un agent le dit (docs/adr/0043). Montants en euros.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import transaction

from comptes.models import Utilisateur
from paiements import anomalies
from paiements.constats import accepter
from paiements.imputation import rouvrir
from paiements.models import Anomalie, DemandeRestitution, Imputation, Paiement, Reprise
from paiements.payzen import Fait, get_solde
from paiements.services import avancer, verrouiller
from paiements.statuts import RESTITUABLES, Geste, Statut
from paiements.suites import faire_relire
from socle.euros import ecrire_euros

Genre, Issue = Anomalie.Genre, Anomalie.Issue
ZERO = Decimal(0)


class RepriseImpossible(Exception):
    """Cette anomalie, ce montant ou ces dettes ne permettent pas cette reprise."""


def get_part(anomalie: Anomalie) -> Decimal:
    """Ce que la banque ne tient plus d'un paiement d'après cette anomalie, et qui n'en est pas encore repris."""
    paiement, vu = anomalie.paiement, anomalie.constat.get("vu")
    if paiement is None or not _is_a_trancher(anomalie) or paiement.statut not in RESTITUABLES:
        return ZERO
    if anomalie.genre == Genre.ANNULATION_BANQUE and vu["operation"] == "CREDIT" and not anomalie.montant:
        return Decimal(vu["montant"]) if vu["parent"] in ("", paiement.uuid) else ZERO
    if _is_baisse(anomalie) and vu["uuid"] == paiement.uuid:
        return max(paiement.montant_debite - Decimal(vu["montant"]), ZERO)
    return ZERO


def has_part_a_reprendre(paiement: Paiement) -> bool:
    """La banque a rendu, ou n'a pas débité, une part qu'un agent n'a encore reprise d'aucune dette."""
    return bool(get_a_reprendre(paiement))


def get_a_reprendre(paiement: Paiement) -> Decimal:
    """Ce que la banque ne tient plus d'un paiement, d'après toutes ses alertes ouvertes, en euros."""
    ouvertes = paiement.anomalies.ouvertes().select_related("paiement")
    return sum((get_part(alerte) for alerte in ouvertes), ZERO)


def _is_a_trancher(anomalie: Anomalie) -> bool:
    """Ouverte, ou mise de côté : qui s'est trompé en l'écartant peut encore la reprendre."""
    return anomalie.resolue_le is None or anomalie.issue == Issue.ECARTEE


def _is_baisse(anomalie: Anomalie) -> bool:
    """La banque annonce, en euros, moins que demandé."""
    vu = anomalie.constat.get("vu")
    if anomalie.genre != Genre.MONTANT_DIFFERENT or anomalie.paiement is None or vu["devise"] != "EUR":
        return False
    return 0 < Decimal(vu["montant"]) < anomalie.paiement.montant


def get_imputations(paiement: Paiement) -> list[Imputation]:
    """Celles dont il reste à reprendre, la dette la plus récente d'abord : la plus ancienne reste remboursée."""
    imputations = paiement.imputations.select_related("dette").prefetch_related("reprises")
    rangees = imputations.order_by("-dette__notifiee_le", "-dette__solde", "-dette_id")
    return [imputation for imputation in rangees if imputation.reste]


def proposer(anomalie: Anomalie) -> dict[Imputation, Decimal]:
    """Où reprendre la part : d'abord ce qui n'est plus sur aucune dette, puis la dette la plus récente."""
    if anomalie.paiement is None:
        return {}
    reliquat = _get_reliquat(anomalie.paiement)
    retenu = sum((defait.montant for defait in _get_defaits(anomalie.paiement)), ZERO)
    reste = get_part(anomalie) - retenu - (reliquat.montant if reliquat else ZERO)
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
    choisies = _choisir(paiement, parts)
    part = _prendre_aux_defaits(paiement, get_part(anomalie), motif=motif)
    if part > paiement.net:
        raise RepriseImpossible(f"la banque ne tient plus que {ecrire_euros(paiement.net)} de ce paiement")
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


def _get_defaits(paiement: Paiement) -> list[Anomalie]:
    """Les remboursements que la banque a défaits, et dont une anomalie retient encore l'argent."""
    retenues = Anomalie.objects.for_debit(paiement, paiement.uuid or "").ouvertes()
    return list(retenues.filter(genre=Genre.ANNULATION_BANQUE).order_by("pk"))


def _prendre_aux_defaits(paiement: Paiement, part: Decimal, *, motif: str) -> Decimal:
    """Ce que retient un remboursement défait n'est plus dans le paiement : il part le premier. Rend ce qui reste."""
    if not part:
        raise RepriseImpossible("il n'y a rien à reprendre, ou c'est déjà fait")
    return prendre(_get_defaits(paiement), part, motif=motif)


def prendre(retenues: Iterable[Anomalie], montant: Decimal, *, motif: str) -> Decimal:
    """Prend un montant à des anomalies, l'une après l'autre, et rend ce qu'aucune ne retenait. En euros."""
    for retenue in retenues:
        prise = min(montant, retenue.montant)
        alleger(retenue, prise, motif=motif)
        montant -= prise
    return montant


def alleger(retenue: Anomalie, montant: Decimal, *, motif: str) -> None:
    """L'anomalie retient d'autant moins ; vide, elle se clôt."""
    meme = Anomalie.objects.filter(pk=retenue.pk)
    if retenue.montant > montant:
        meme.update(montant=retenue.montant - montant)
    elif montant:
        anomalies.rendre(meme, motif=motif)


def solder(paiement: Paiement, *, motif: str, auteur: str) -> Paiement:
    """S'il ne reste rien d'un paiement, il est restitué. À appeler sous son verrou."""
    if not paiement.net:
        faire_relire(paiement)  # un remboursement peut encore être défait
        avancer(Geste.RESTITUER, paiement, motif=motif, auteur=auteur)
    return paiement


def is_a_accepter(anomalie: Anomalie) -> bool:
    """La banque a débité moins que demandé, et le paiement n'est pas accepté : un agent peut dire oui."""
    return (
        _is_baisse(anomalie)
        and _is_a_trancher(anomalie)
        and anomalie.paiement is not None
        and not anomalie.paiement.is_encaisse
    )


@transaction.atomic
def accepter_le_montant(anomalie: Anomalie, faits: Iterable[Fait], *, motif: str, agent: Utilisateur) -> Paiement:
    """
    Prend pour bon le montant, plus petit, que la banque a débité d'un paiement pas encore accepté.

    :param faits: ce que la plateforme vient de redire de ce paiement
    :raises RepriseImpossible: si elle ne tient plus ce débit, ou s'il n'est pas plus petit que demandé
    """
    paiement, anomalie = _verrouiller(anomalie)
    faits = list(faits)
    if not is_a_accepter(anomalie):
        raise RepriseImpossible("ce paiement n'attend pas qu'on en accepte le montant")
    fait = next((fait for fait in faits if fait.uuid == anomalie.constat["vu"]["uuid"]), None)
    if fait is None or not fait.is_success or not 0 < fait.montant < paiement.montant:
        raise RepriseImpossible("la banque ne tient pas, pour ce débit, un montant plus petit que demandé")
    if get_solde(faits) < fait.montant:
        raise RepriseImpossible("la banque a déjà rendu ce débit, ou une part")
    if (fait.devise, fait.site, fait.mode) != ("EUR", paiement.boutique, paiement.mode):
        raise RepriseImpossible("ce débit est d'une autre devise, d'une autre boutique ou d'un autre mode")
    accepter(paiement, fait, auteur=agent.identifiant)
    Reprise.objects.create(paiement=paiement, anomalie=anomalie, montant=paiement.montant - fait.montant)
    anomalies.resoudre(anomalie, motif=motif, agent=agent, issue=Issue.ACCEPTEE, rouvrir=True)
    return paiement


def _verrouiller(anomalie: Anomalie) -> tuple[Paiement, Anomalie]:
    if anomalie.paiement_id is None:
        raise RepriseImpossible("cette anomalie ne parle d'aucun paiement né de ce service")
    paiement = verrouiller(anomalie.paiement_id)
    anomalie = Anomalie.objects.select_for_update(of=("self",), no_key=True).get(pk=anomalie.pk)
    if paiement.restitutions.filter(etat__in=DemandeRestitution.EN_COURS).exists():
        raise RepriseImpossible("une restitution de ce paiement est en cours : attendez sa fin")
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
    alleger(reliquat, montant, motif=motif)


def _clore(anomalie: Anomalie, paiement: Paiement, *, motif: str, agent: Utilisateur) -> None:
    """Clôt l'alerte, et celles d'une baisse moindre ; pas encore vérifié, le paiement se revérifie."""
    baisse = anomalie.genre == Genre.MONTANT_DIFFERENT
    issue = Issue.ACCEPTEE if baisse else Issue.RESTITUEE
    anomalies.resoudre(anomalie, motif=motif, agent=agent, issue=issue, rouvrir=True)
    moindres = paiement.anomalies.ouvertes().filter(genre=Genre.MONTANT_DIFFERENT, constat__vu__uuid=paiement.uuid)
    for alerte in moindres.select_related("paiement") if baisse else []:
        if _is_baisse(alerte) and not get_part(alerte):
            anomalies.resoudre(alerte, motif=motif, agent=agent, issue=Issue.ACCEPTEE)
    if paiement.statut == Statut.ACCEPTE:
        faire_relire(paiement)
