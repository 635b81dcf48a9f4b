"""Ce que l'on décide sur une Caf et sur ses agents."""

import logging
from datetime import date
from decimal import Decimal

from allauth.mfa.models import Authenticator
from django.db import transaction

from comptes import activation, courriels, sessions
from comptes.identifiants import normaliser
from comptes.models import Agent, Caf, Utilisateur

logger = logging.getLogger(__name__)


class MessageAbsent(Exception):
    """On ne suspend pas un service sans dire pourquoi aux allocataires."""


def suspendre(caf: Caf, message: str, retour_prevu_le: date | None, auteur: Utilisateur | None) -> None:
    """
    Arrête les paiements en ligne d'une Caf. Ceux qui sont en route se terminent normalement.

    :param message: ce que liront les allocataires
    :param auteur: None pour l'exploitant, qui n'a pas de compte
    :raises MessageAbsent: si le message est vide
    """
    if not message.strip():
        raise MessageAbsent(caf.code)
    _changer(caf, auteur, ouverte=False, message=message.strip(), retour=retour_prevu_le)


def rouvrir(caf: Caf, auteur: Utilisateur | None) -> None:
    """Reprend les paiements en ligne d'une Caf."""
    _changer(caf, auteur, ouverte=True, message="", retour=None)


def regler_les_seuils(
    caf: Caf, seuil_controle: Decimal | None, seuil_mise_de_cote: Decimal | None, auteur: Utilisateur
) -> None:
    """Change, en euros, les montants à partir desquels un agent de plus décide ; None : jamais."""
    caf.seuil_controle, caf.seuil_mise_de_cote = seuil_controle, seuil_mise_de_cote
    caf.save(update_fields=["seuil_controle", "seuil_mise_de_cote"])
    logger.info("seuils de la Caf", extra={"caf": caf.code, "auteur": auteur.pk})


def _changer(caf: Caf, auteur: Utilisateur | None, *, ouverte: bool, message: str, retour: date | None) -> None:
    caf.ouverte, caf.message_suspension, caf.retour_prevu_le = ouverte, message, retour
    caf.save(update_fields=["ouverte", "message_suspension", "retour_prevu_le"])
    logger.info(
        "service de la Caf",
        extra={"caf": caf.code, "ouverte": ouverte, "auteur": auteur.pk if auteur else "exploitant"},
    )


class IdentifiantPris(Exception):
    """Cet identifiant est celui d'un allocataire : un compte est l'un ou l'autre, jamais les deux."""


@transaction.atomic
def creer_agent(identifiant: str, role: Agent.Role, cafs: list[Caf], courriel: str = "") -> tuple[Agent, bool]:
    """
    Crée un agent, sans mot de passe ; s'il existe, change son rôle et ses Caf, et son courriel s'il en est donné un.

    :returns: l'agent, et vrai s'il vient d'être créé
    :raises IdentifiantPris: si l'identifiant est celui d'un allocataire
    """
    identifiant = normaliser(identifiant)
    utilisateur = Utilisateur.objects.filter(identifiant=identifiant).first()
    if utilisateur and utilisateur.allocataire_id:
        raise IdentifiantPris(identifiant)
    cree = utilisateur is None
    if utilisateur is None:
        utilisateur = Utilisateur.objects.create_user(identifiant, is_staff=True)
    if courriel:
        utilisateur.courriel = courriel
        utilisateur.save(update_fields=["courriel"])
    agent, _ = Agent.objects.update_or_create(utilisateur=utilisateur, defaults={"role": role})
    agent.cafs.set(cafs)
    logger.info("agent", extra={"agent": agent.pk, "role": role, "cafs": [caf.code for caf in cafs], "cree": cree})
    return agent, cree


@transaction.atomic
def rendre_acces(utilisateur: Utilisateur) -> str | None:
    """
    Rouvre la porte à qui a perdu son second facteur : ses facteurs sont ôtés, ses sessions fermées, et il le sait.

    :returns: pour un agent ou un opérateur, le code à lui donner, qui existe en clair ici seulement ; un allocataire
        rentre avec son mot de passe
    """
    Authenticator.objects.filter(user=utilisateur).delete()
    sessions.fermer(utilisateur)
    logger.warning("accès rendu", extra={"utilisateur": utilisateur.pk})
    transaction.on_commit(lambda: courriels.prevenir(utilisateur, courriels.ACCES_RENDU))
    return activation.emettre_pour_un_agent(utilisateur) if utilisateur.is_staff else None
