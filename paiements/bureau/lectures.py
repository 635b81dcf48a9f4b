"""
Ce que peut vouloir dire ce qu'un agent tape : chaque lecture possible, et ce qu'elle trouve dans ses Caf.

Toute recherche suit un index, par valeur exacte ou par préfixe (bancs/bureau.py le vérifie) : rien ne lit une grande
table, et rien ne s'y compte.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone

from comptes.identifiants import CHIFFRES, lire_chiffres, lire_dossier
from comptes.models import Allocataire, Caf
from comptes.noms import chercher_par_nom
from demarches.champs import MontantField
from demarches.models import Demarche
from dettes.models import Dette
from paiements.models import Paiement, TransactionPayzen

Lecture = Callable[[str, list[str]], "QuerySet[Any] | list[Any] | None"]
AU_PLUS = 20
DATES = ("%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d")
UUID = re.compile(r"[0-9a-f]{32}")


def nettoyer(saisie: str) -> str:
    """La saisie en signes ordinaires, ses blancs réunis ; un octet nul, que la base ne lit pas, en est un."""
    return " ".join(unicodedata.normalize("NFKC", saisie).replace("\0", " ").split())


def lire_un_numero(saisie: str, codes: list[str]) -> QuerySet[Allocataire] | None:
    """« 6610000357 », « 661 0000357 », « 66 357 », « 0000357 », « 357 »."""
    allocataires = Allocataire.objects.select_related("caf")
    chiffres = lire_chiffres(saisie)
    lus = Q()
    if chiffres and len(chiffres) <= CHIFFRES:
        lus |= Q(caf__in=codes, numero=chiffres.zfill(CHIFFRES))
    if dossier := lire_dossier(saisie):
        cafs = Caf.objects.filter(Q(pk=dossier.tete.upper()) | Q(departement=dossier.tete.upper()), pk__in=codes)
        if dites := list(cafs.values_list("pk", flat=True)):
            lus |= Q(caf__in=dites, numero=dossier.numero)
    return allocataires.filter(lus).order_by("caf") if lus else None


def lire_un_nom(saisie: str, codes: list[str]) -> QuerySet[Allocataire] | None:
    """Un nom, avec ou sans accents, un prénom, une année de naissance."""
    if not any(signe.isalpha() for signe in saisie):
        return None
    return chercher_par_nom(Allocataire.objects.filter(caf__in=codes).select_related("caf"), saisie)


def _is_reference(saisie: str, prefixe: str = "") -> bool:
    return saisie.upper().startswith(prefixe) and re.fullmatch(r"[A-Za-z0-9-]{3,32}", saisie) is not None


def lire_un_paiement(saisie: str, codes: list[str]) -> QuerySet[Paiement] | None:
    """La référence d'un paiement, entière ou son début."""
    if not _is_reference(saisie, "P-"):
        return None
    return _paiements(codes).filter(reference__startswith=saisie.upper()).order_by("reference")


def lire_une_demarche(saisie: str, codes: list[str]) -> QuerySet[Demarche] | None:
    """La référence d'une démarche, entière ou son début."""
    if not _is_reference(saisie, "D-"):
        return None
    demarches = Demarche.objects.select_related("allocataire__caf", "paiement")
    return demarches.filter(reference__startswith=saisie.upper(), allocataire__caf__in=codes).order_by("reference")


def lire_une_dette(saisie: str, codes: list[str]) -> QuerySet[Dette] | None:
    """La référence d'une dette, entière ou son début."""
    if not _is_reference(saisie) or saisie.isalpha():
        return None
    dettes = Dette.objects.filter(caf__in=codes, reference__startswith=saisie.upper())
    # Sans ordre, les vingt premières se chercheraient en lisant la table d'un bout à l'autre.
    return dettes.select_related("allocataire__caf").order_by("reference")


def lire_une_carte(saisie: str, codes: list[str]) -> QuerySet[TransactionPayzen] | None:
    """Les quatre derniers chiffres d'une carte."""
    if not re.fullmatch(r"[0-9]{4}", saisie):
        return None
    return _transactions(codes).filter(carte_fin=saisie).order_by("-apprise_le")


def lire_une_autorisation(saisie: str, codes: list[str]) -> QuerySet[TransactionPayzen] | None:
    """Le numéro d'autorisation que porte un ticket."""
    if not re.fullmatch(r"[0-9A-Za-z]{4,20}", saisie):
        return None
    formes = {saisie, saisie.lower(), saisie.upper()}
    return _transactions(codes).filter(autorisation__in=formes).order_by("-apprise_le")


def lire_un_numero_payzen(saisie: str, codes: list[str]) -> QuerySet[TransactionPayzen] | None:
    """Les six caractères d'une transaction de PayZen."""
    if not re.fullmatch(r"[0-9a-zA-Z]{6}", saisie):
        return None
    return _transactions(codes).filter(trans_id=saisie.lower()).order_by("-apprise_le")


def lire_un_numero_envoye(saisie: str, codes: list[str]) -> QuerySet[Paiement] | None:
    """Les six caractères que nous avons envoyés à PayZen, même si rien n'en est revenu."""
    if not re.fullmatch(r"[0-9a-zA-Z]{6}", saisie):
        return None
    return _paiements(codes).filter(trans_id=saisie.lower()).order_by("-cree_le")


def lire_une_transaction(saisie: str, codes: list[str]) -> QuerySet[TransactionPayzen] | None:
    """L'identifiant d'une transaction de PayZen."""
    return _transactions(codes).filter(pk=saisie.lower()) if UUID.fullmatch(saisie.lower()) else None


def lire_une_reference_inconnue(saisie: str, codes: list[str]) -> QuerySet[TransactionPayzen] | None:
    """La référence d'un débit qui n'est pas né de ce service."""
    if not re.fullmatch(r"[A-Za-z0-9-]{3,64}", saisie):
        return None
    return _transactions(codes).filter(paiement=None, reference=saisie)


def lire_un_montant(saisie: str, codes: list[str]) -> QuerySet[Paiement] | None:
    """Un montant tel qu'il s'affiche ou se tape : « 7,00 », « 1 234,56 € », « 20 »."""
    if not re.search(r"[,.€]|^[0-9]{1,5}$", saisie):
        return None
    try:
        montant = MontantField().clean(saisie)
    except ValidationError:
        return None
    if not isinstance(montant, Decimal) or not montant or montant >= 10**7:
        return None
    return _paiements(codes).filter(montant=montant).order_by("-cree_le")


def lire_un_jour(saisie: str, codes: list[str]) -> QuerySet[Paiement] | None:
    """Les paiements demandés ce jour-là, heure de Paris."""
    jour = comprendre_un_jour(saisie)
    if jour is None:
        return None
    minuit, demain = (timezone.make_aware(datetime.combine(j, time.min)) for j in (jour, jour + timedelta(days=1)))
    return _paiements(codes).filter(cree_le__gte=minuit, cree_le__lt=demain).order_by("-cree_le")


def comprendre_un_jour(saisie: str) -> date | None:
    """« 28/11/2026 », « 28/11/26 », « 2026-11-28 » ; None si ce n'est pas un jour."""
    for forme in DATES:
        try:
            jour = datetime.strptime(saisie, forme).date()  # noqa: DTZ007 (un jour n'a pas de fuseau)
        except ValueError:
            continue
        return jour if jour.year >= 2000 else None
    return None


def _paiements(codes: list[str]) -> QuerySet[Paiement]:
    lus = Paiement.objects.filter(caf__in=codes)
    return lus.select_related("demarche__allocataire__caf", "debit", "solde")


def _transactions(codes: list[str]) -> QuerySet[TransactionPayzen]:
    """Celles de nos paiements, et celles d'aucun paiement que dit la boutique d'une de ces Caf."""
    boutiques = list(Caf.objects.filter(pk__in=codes).exclude(boutique="").values_list("boutique", flat=True))
    siennes = Q(paiement__caf__in=codes) | Q(paiement=None, boutique__in=boutiques)
    return TransactionPayzen.objects.filter(siennes).select_related("paiement__demarche__allocataire__caf")


# Dans l'ordre où on les montre : la personne d'abord.
LECTURES: tuple[tuple[str, Lecture], ...] = (
    ("Allocataires de ce numéro", lire_un_numero),
    ("Allocataires de ce nom", lire_un_nom),
    ("Paiements de cette référence", lire_un_paiement),
    ("Démarches de cette référence", lire_une_demarche),
    ("Dettes de cette référence", lire_une_dette),
    ("Cartes qui finissent ainsi", lire_une_carte),
    ("Autorisations de la banque", lire_une_autorisation),
    ("Numéros de transaction de PayZen", lire_un_numero_payzen),
    ("Numéros envoyés à PayZen", lire_un_numero_envoye),
    ("Transactions de cet identifiant", lire_une_transaction),
    ("Débits d'une référence inconnue", lire_une_reference_inconnue),
    ("Paiements de ce montant", lire_un_montant),
    ("Paiements de ce jour", lire_un_jour),
)


def lire(saisie: str, codes: list[str]) -> Iterator[tuple[str, list[Any]]]:
    """Chaque lecture qui trouve quelque chose, et ses vingt premières lignes, plus une s'il y en a d'autres."""
    for titre, lecture in LECTURES if saisie else ():
        trouves = lecture(saisie, codes)
        if trouves is not None and (lignes := list(trouves[: AU_PLUS + 1])):
            yield titre, lignes
