"""Pourquoi une chose change, et par qui : ce qu'écrit chaque journal."""

from typing import NamedTuple

from comptes.models import Utilisateur

ALLOCATAIRE = "allocataire"


class Cause(NamedTuple):
    """
    Ce qui fait avancer un paiement, ou change la file.

    :param auteur: « allocataire », « PayZen », « service », ou l'identifiant d'un agent
    :param is_agent: une personne l'a décidé, et non un fait
    """

    motif: str
    auteur: str
    is_agent: bool = False


def par_agent(agent: Utilisateur, motif: str) -> Cause:
    return Cause(motif, agent.identifiant, is_agent=True)


def par_allocataire(motif: str) -> Cause:
    return Cause(motif, ALLOCATAIRE)


def par_payzen(motif: str) -> Cause:
    return Cause(motif, "PayZen")


def par_service(motif: str) -> Cause:
    return Cause(motif, "service")
