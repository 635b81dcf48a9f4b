"""Les gestes d'une démarche : chacun verrouille, relit, décide et écrit, dans une transaction."""

from collections.abc import Mapping
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from comptes.models import Allocataire, Utilisateur
from demarches.etats import Etat
from demarches.models import Demarche, LigneDemarche
from demarches.montants import (
    ZERO,
    MontantInvalide,
    Parts,
    get_total,
    partager,
    ramener,
    retenir,
)
from dettes.models import Dette
from dettes.repartition import get_disponible_total, repartir
from socle.sql import Lecture

Etape = Demarche.Etape
Mode = Demarche.Mode
PAYABLES = Lecture(
    lambda allocataire: (
        Dette.objects.filter(allocataire=allocataire).payables().with_disponible().plus_anciennes_d_abord()
    )
)


class DemarcheFigee(Exception):
    """La démarche n'est plus un brouillon : rien ne s'y modifie."""


class RecommencementImpossible(Exception):
    """On ne recommence qu'une démarche refusée ou non réalisée."""


@transaction.atomic
def commencer(utilisateur: Utilisateur) -> Demarche:
    """Rend le brouillon de cette personne, ou en ouvre un : jamais deux, même touché deux fois."""
    _verrouiller_la_personne(utilisateur.pk)
    if brouillon := Demarche.objects.brouillons().filter(auteur=utilisateur).first():
        return brouillon
    brouillon = preparer(utilisateur)
    brouillon.save()
    return brouillon


def preparer(utilisateur: Utilisateur) -> Demarche:
    """
    Le brouillon qu'ouvrirait cette personne, sans l'enregistrer.

    Si elle a déjà lu les mentions en vigueur, elles ne se redemandent pas : leur date de lecture et l'adresse donnée
    la dernière fois sont reprises, et l'on commence aux montants.
    """
    brouillon = Demarche(
        auteur=utilisateur, allocataire=Allocataire.objects.select_related("caf").get(utilisateurs=utilisateur)
    )
    lues = Demarche.objects.filter(auteur=utilisateur, mentions_version=settings.MENTIONS_VERSION)
    if derniere := lues.plus_recentes_d_abord().first():
        brouillon.mentions_version = derniere.mentions_version
        brouillon.mentions_lues_le = derniere.mentions_lues_le
        brouillon.courriel = derniere.courriel
        brouillon.etape = Etape.MONTANTS
    return brouillon


@transaction.atomic
def enregistrer_informations(demarche: Demarche, *, courriel: str) -> Demarche:
    """
    Note que les mentions en vigueur ont été lues, et l'adresse facultative du ticket.

    :raises DemarcheFigee: si la démarche n'est plus un brouillon
    """
    demarche = _verrouiller(demarche)
    if demarche.mentions_version != settings.MENTIONS_VERSION:
        demarche.mentions_version = settings.MENTIONS_VERSION
        demarche.mentions_lues_le = timezone.now()
    demarche.courriel = courriel
    return _avancer(demarche, Etape.MONTANTS)


@transaction.atomic
def enregistrer_montant_global(demarche: Demarche, montant: Decimal) -> Demarche:
    """
    Répartit un montant, en euros, sur les dettes payables, en commençant par la plus ancienne.

    :raises DemarcheFigee: si la démarche n'est plus un brouillon
    :raises MontantInvalide: si le montant dépasse le disponible, ou reste sous le minimum
    """
    demarche = _verrouiller(demarche)
    return _enregistrer(demarche, Mode.GLOBAL, partager(montant, get_dettes(demarche)))


@transaction.atomic
def enregistrer_montants(demarche: Demarche, montants: Mapping[int, Decimal]) -> Demarche:
    """
    Enregistre les montants choisis, en euros par clé de dette.

    :raises DemarcheFigee: si la démarche n'est plus un brouillon
    :raises MontantInvalide: si l'un des montants, ou leur total, ne peut pas se payer
    """
    demarche = _verrouiller(demarche)
    return _enregistrer(demarche, Mode.AFFECTE, retenir(montants, get_dettes(demarche)))


@transaction.atomic
def ajuster(demarche: Demarche) -> Demarche:
    """
    Ramène les montants d'un brouillon à ce qui peut encore se payer, quand un solde a changé.

    :raises DemarcheFigee: si la démarche n'est plus un brouillon
    """
    demarche = _verrouiller(demarche)
    return _reprendre(demarche, demarche)


@transaction.atomic
def abandonner(demarche: Demarche) -> None:
    """
    Quitte le parcours : rien n'est gardé de la saisie. Sans effet si c'est déjà fait.

    :raises DemarcheFigee: si la démarche est partie à la banque
    """
    relue = Demarche.objects.select_for_update(of=("self",), no_key=True).get(pk=demarche.pk)
    if relue.etat != Etat.ABANDONNEE:
        _effacer(_verrouiller(demarche))


@transaction.atomic
def recommencer(demarche: Demarche) -> Demarche:
    """
    Ouvre un brouillon déjà rempli d'après une démarche refusée ou non réalisée (ADR 0001), une fois : rend sinon la
    démarche qui l'a déjà recommencée, où qu'elle en soit (ADR 0050).

    Il remplace le brouillon en cours de cette personne. Les montants sont ramenés à ce qui peut encore se payer : qui
    appelle compare les totaux et le dit.

    :raises RecommencementImpossible: si la démarche n'est ni refusée, ni non réalisée, ou si un débit en est retenu
    """
    _verrouiller_la_personne(demarche.auteur_id)
    ancienne = Demarche.objects.select_for_update(of=("self",), no_key=True).get(pk=demarche.pk)
    if not ancienne.is_a_recommencer or ancienne.paiement.retenu:
        raise RecommencementImpossible(ancienne.reference)
    if ancienne.suite is not None:  # garde: recommencer_une_fois
        return ancienne.suite
    brouillons = Demarche.objects.brouillons().filter(auteur=ancienne.auteur_id)
    for brouillon in brouillons.select_for_update(of=("self",), no_key=True):
        _effacer(brouillon)
    return _reprendre(_ouvrir_d_apres(ancienne), ancienne)


def _ouvrir_d_apres(ancienne: Demarche) -> Demarche:
    """Un brouillon sans ligne ; les mentions déjà lues ne se relisent que si elles ont changé."""
    nouvelle = Demarche(
        auteur_id=ancienne.auteur_id,
        allocataire_id=ancienne.allocataire_id,
        courriel=ancienne.courriel,
        recommence=ancienne,
    )
    if ancienne.mentions_version == settings.MENTIONS_VERSION:
        nouvelle.mentions_version = ancienne.mentions_version
        nouvelle.mentions_lues_le = ancienne.mentions_lues_le
    nouvelle.mode = ancienne.mode
    nouvelle.save()
    return nouvelle


def get_dettes(demarche: Demarche) -> list[Dette]:
    """Les dettes payables de l'allocataire, plus anciennes d'abord, avec `engage` et `disponible` (euros)."""
    return get_dettes_de(demarche.allocataire)


def get_dettes_de(allocataire: Allocataire) -> list[Dette]:
    """Comme `get_dettes`, avant qu'une démarche soit ouverte."""
    return PAYABLES.lire(allocataire.pk)


def get_etape(demarche: Demarche) -> Demarche.Etape:
    """L'étape où reprendre : celle atteinte, ou la première si les mentions ont changé depuis leur lecture."""
    if demarche.mentions_version != settings.MENTIONS_VERSION:
        return Etape.INFORMATIONS
    return Etape(demarche.etape)


def _verrouiller_la_personne(utilisateur_id: int) -> None:
    """Une personne n'ouvre qu'un brouillon à la fois : ses gestes passent l'un après l'autre."""
    Utilisateur.objects.select_for_update(of=("self",), no_key=True).get(pk=utilisateur_id)


def _verrouiller(demarche: Demarche) -> Demarche:
    relue = (
        # garde: verrou_de_qui_ecrit
        Demarche.objects.select_for_update(of=("self",), no_key=True).select_related("allocataire").get(pk=demarche.pk)
    )
    if not relue.is_modifiable:
        raise DemarcheFigee(relue.reference)
    return relue


def _avancer(demarche: Demarche, etape: Demarche.Etape) -> Demarche:
    demarche.etape = max(demarche.etape, etape)
    demarche.save()
    return demarche


def _enregistrer(demarche: Demarche, mode: Demarche.Mode, parts: Parts) -> Demarche:
    demarche.mode = mode
    _poser_les_lignes(demarche, parts)
    return _avancer(demarche, Etape.RECAPITULATIF)


def _poser_les_lignes(demarche: Demarche, parts: Parts) -> None:
    demarche.lignes.all().delete()
    LigneDemarche.objects.bulk_create(
        LigneDemarche(demarche=demarche, dette=dette, montant=montant) for dette, montant in parts
    )
    demarche.montant = get_total(parts)


def _reprendre(demarche: Demarche, modele: Demarche) -> Demarche:
    """Remplit un brouillon d'après les montants d'un modèle, ramenés au disponible, et l'amène où le relire."""
    dettes = get_dettes(demarche)
    if modele.mode == Mode.GLOBAL:
        parts = repartir(min(modele.montant, get_disponible_total(dettes)), dettes)
    else:
        parts = ramener(dict(modele.lignes.values_list("dette_id", "montant")), dettes)
    _poser_les_lignes(demarche, parts)
    demarche.etape = Etape.RECAPITULATIF if _is_payable(demarche, parts, dettes) else Etape.MONTANTS
    demarche.save()
    return demarche


def _is_payable(demarche: Demarche, parts: Parts, dettes: list[Dette]) -> bool:
    """Faux si ce qui reste, une fois ramené au disponible, est passé sous le minimum."""
    try:
        if demarche.mode == Mode.GLOBAL:
            partager(get_total(parts), dettes)
        else:
            retenir({dette.pk: montant for dette, montant in parts}, dettes)
    except MontantInvalide:
        return False
    return True


def _effacer(brouillon: Demarche) -> None:
    brouillon.lignes.all().delete()
    brouillon.etat = Etat.ABANDONNEE
    brouillon.etape = Etape.INFORMATIONS
    brouillon.courriel = brouillon.mode = ""
    brouillon.montant = ZERO
    # Rien n'en est gardé, et rien n'est parti : celle qu'il recommençait peut l'être de nouveau.
    brouillon.recommence = None
    brouillon.save()
