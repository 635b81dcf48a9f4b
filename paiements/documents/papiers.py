"""Vérifier un papier : le ticket ou l'attestation que quelqu'un présente est-il de nous, et que doit-il dire ?"""

from typing import NamedTuple

from django.db.models import QuerySet

from paiements.documents import attestations, tickets
from paiements.models import Paiement
from paiements.statuts import Statut

# Le code n'a ni O ni I ni L : lus ou tapés ainsi, ce sont des chiffres.
CONFUSIONS = str.maketrans("OIL", "011")


class PapierInconnu(Exception):
    """Rien de nous ne porte cette référence avec ce code."""


class Papier(NamedTuple):
    """Ce que doivent dire les papiers d'un paiement ; pas d'attestation tant qu'il n'est pas déduit des dettes."""

    paiement: Paiement
    ticket: tickets.Contenu
    attestation: attestations.Attestation | None


def verifier(paiements: QuerySet[Paiement], reference: str, code: str) -> Papier:
    """
    Ce que doit dire le papier qui porte cette référence et ce code, à comparer ligne à ligne.

    :param paiements: ceux où chercher : un agent ne voit que ses Caf
    :raises PapierInconnu: si aucun paiement encaissé ne porte cette référence, ou si son code est un autre
    """
    trouves = Paiement.objects.encaisses().filter(pk__in=paiements).for_reference(reference.strip().upper())
    paiement = trouves.select_related("demarche__allocataire", "caf", "debit", "solde").first()
    if paiement is None:
        raise PapierInconnu("aucun paiement encaissé ne porte cette référence")
    if paiement.code != _lire_le_code(code):
        raise PapierInconnu("ce paiement existe, mais son code est un autre")
    attestation = attestations.lire(paiement) if paiement.statut == Statut.IMPUTE else None
    return Papier(paiement, tickets.lire(paiement), attestation)


def _lire_le_code(saisie: str) -> str:
    return "".join(signe for signe in saisie.upper() if signe.isalnum()).translate(CONFUSIONS)
