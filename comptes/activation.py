"""
Le code reçu par courrier, qui permet de choisir un mot de passe : à la première connexion, ou quand on l'a oublié.

Dix chiffres dont le premier n'est pas zéro (un tableur l'ôterait), trente jours, une fois. On n'en garde qu'une
empreinte à clé : la base volée ne les rend pas.
"""

import logging
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from comptes.identifiants import lire_chiffres, normaliser
from comptes.models import CodeActivation, Utilisateur

logger = logging.getLogger(__name__)

CHIFFRES = 10
VALIDITE = timedelta(days=30)
VALIDITE_AGENT = timedelta(days=3)  # il se donne de vive voix
LOT = 1000


def get_sans_mot_de_passe(caf: str) -> QuerySet[Utilisateur]:
    """Les comptes d'allocataires que l'import de la Caf a ouverts, et qui n'ont ni mot de passe ni code en attente."""
    en_attente = CodeActivation.objects.valables().filter(utilisateur=OuterRef("pk"))
    jamais_venus = Utilisateur.objects.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX, is_active=True)
    return jamais_venus.filter(~Exists(en_attente), allocataire__caf=caf).order_by("identifiant")


def get_demandes(caf: str, identifiants: list[str]) -> QuerySet[Utilisateur]:
    """Ces comptes d'allocataires de la Caf, qu'ils aient un mot de passe ou non ; ceux d'ailleurs sont ignorés."""
    cherches = [normaliser(identifiant) for identifiant in identifiants]
    return Utilisateur.objects.filter(identifiant__in=cherches, allocataire__caf=caf).order_by("identifiant")


@transaction.atomic
def emettre(utilisateurs: Iterable[Utilisateur], validite: timedelta = VALIDITE) -> dict[str, str]:
    """
    Tire un code pour chacun ; celui qui attendait encore ne vaut plus rien.

    :returns: identifiant → code. C'est la seule fois que le code existe en clair.
    """
    codes = {utilisateur: _tirer() for utilisateur in utilisateurs}
    CodeActivation.objects.filter(utilisateur__in=codes, utilise_le=None).delete()
    expire_le = timezone.now() + validite
    CodeActivation.objects.bulk_create(
        [
            CodeActivation(
                utilisateur=utilisateur,
                empreinte=_empreinter(utilisateur, code, settings.SECRET_KEY),
                expire_le=expire_le,
            )
            for utilisateur, code in codes.items()
        ],
        batch_size=LOT,
    )
    return {utilisateur.identifiant: code for utilisateur, code in codes.items()}


def emettre_pour_un_agent(utilisateur: Utilisateur) -> str:
    """Tire le code que l'exploitant donne à un agent, et qui lui ouvre l'ajout de son premier second facteur."""
    return emettre([utilisateur], VALIDITE_AGENT)[utilisateur.identifiant]


@transaction.atomic
def activer(identifiant: str, code: str, mot_de_passe: str) -> Utilisateur | None:
    """
    Pose le mot de passe choisi si le code est le bon.

    Rend None dans tous les autres cas, sans dire lequel ni y mettre plus ou moins de temps : compte inconnu ou fermé,
    code faux, périmé ou déjà utilisé.

    :raises ValidationError: si le code est bon, et le mot de passe trop proche de la personne ; le code sert encore.
        Qui n'a pas le code n'apprend donc rien d'elle
    """
    attendu = _trouver(normaliser(identifiant), lire_chiffres(code))
    if attendu is None:
        return None
    utilisateur = attendu.utilisateur
    validate_password(mot_de_passe, utilisateur)
    # Deux personnes qui donnent le bon code au même instant : la base n'en laisse passer qu'une.
    if not CodeActivation.objects.valables().filter(pk=attendu.pk).update(utilise_le=timezone.now()):
        return None
    utilisateur.set_password(mot_de_passe)
    utilisateur.save(update_fields=["password"])
    logger.info("mot de passe choisi par code", extra={"utilisateur": utilisateur.pk})
    return utilisateur


def _trouver(identifiant: str, code: str) -> CodeActivation | None:
    """Rend le code qui attend ce compte, si c'est celui-là. Compte inconnu ou code faux : le même travail."""
    attendus = CodeActivation.objects.valables().select_related("utilisateur")
    attendu = attendus.filter(utilisateur__identifiant=identifiant, utilisateur__is_active=True).first()
    utilisateur = attendu.utilisateur if attendu else Utilisateur()
    # Une clé changée n'annule pas les lettres en route : les précédentes se lisent encore.
    for cle in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        empreinte = _empreinter(utilisateur, code, cle)
        if constant_time_compare(attendu.empreinte if attendu else "", empreinte):
            return attendu
    logger.warning("code d'activation refusé", extra={"utilisateur": utilisateur.pk})
    return None


def _tirer() -> str:
    plus_petit: int = 10 ** (CHIFFRES - 1)
    return str(plus_petit + secrets.randbelow(9 * plus_petit))


def _empreinter(utilisateur: Utilisateur, code: str, cle: str) -> str:
    return salted_hmac("comptes.CodeActivation", f"{utilisateur.pk}:{code}", cle, algorithm="sha256").hexdigest()
