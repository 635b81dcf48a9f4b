"""Le journal de sécurité : qui entre, qui échoue, qui change un accès, qui regarde le dossier de qui."""

import logging
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.cache import cache
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import translation

from comptes.identifiants import normaliser
from comptes.models import Agent, Allocataire, Evenement, Utilisateur
from socle.bureau import consultation

logger = logging.getLogger(__name__)

Genre = Evenement.Genre
# Par où l'on va d'un objet à la personne dont il parle.
VERS_LA_PERSONNE = ("allocataire", "demarche", "paiement", "dette")
UN_BLOCAGE_PAR = 5 * 60  # secondes : qui insiste ne remplit pas le journal
# Les codes d'erreur d'allauth.
TROP_D_ESSAIS = ("too_many_login_attempts", "rate_limited")


def consigner(
    genre: Evenement.Genre,
    *,
    compte: Utilisateur | None = None,
    allocataire: Allocataire | None = None,
    objet: str = "",
    cafs: set[str] | None = None,
) -> None:
    """
    Écrit une ligne au journal de sécurité. L'auteur et l'adresse sont ceux de la requête en cours, s'il y en a une.

    :param compte: le compte dont il s'agit
    :param allocataire: la personne dont le dossier est regardé
    :param objet: ce qui est regardé, ou ce qui change ; jamais ce que quelqu'un a tapé
    :param cafs: celles dont le responsable lira la ligne ; à défaut, celles de la personne ou du compte
    """
    request = context.request
    auteur = request.user if request and getattr(request, "user", None) and request.user.is_authenticated else None
    if cafs is None:
        cafs = {allocataire.caf_id} if allocataire else _get_cafs(compte or auteur)
    Evenement.objects.create(
        genre=genre,
        auteur=auteur,
        compte=compte,
        allocataire=allocataire,
        objet=objet,
        adresse=get_adapter().get_client_ip(request) if request else None,
        cafs=sorted(cafs),
    )
    cles = {"compte": compte and compte.pk, "auteur": auteur and auteur.pk}
    logger.info("sécurité", extra={"genre": genre.value, **cles})


def consigner_un_blocage(compte: Utilisateur | None = None) -> None:
    """Trop d'essais, ou trop de demandes : une ligne par adresse et par compte toutes les cinq minutes."""
    adresse = get_adapter().get_client_ip(context.request)
    if cache.add(f"journal:blocage:{adresse}:{compte and compte.pk}", True, UN_BLOCAGE_PAR):
        consigner(Genre.BLOCAGE, compte=compte)


def trouver(identifiant: str) -> Utilisateur | None:
    """Le compte de cet identifiant, tel qu'il a été tapé."""
    comptes = Utilisateur.objects.select_related("allocataire", "agent")
    return comptes.filter(identifiant=normaliser(identifiant)).first()


def _get_cafs(compte: Utilisateur | None) -> set[str]:
    if compte is None:
        return set()
    if compte.allocataire:
        return {compte.allocataire.caf_id}
    agent = getattr(compte, "agent", None)
    return set(agent.cafs.values_list("pk", flat=True)) if agent else set()


@receiver(user_logged_in)
def noter_une_connexion(user: Utilisateur, **_: object) -> None:
    consigner(Genre.CONNEXION, compte=user)


@receiver(user_logged_out)
def noter_une_deconnexion(user: Utilisateur | None, **_: object) -> None:
    if user is not None:
        consigner(Genre.DECONNEXION, compte=user)


@receiver(user_login_failed)
def noter_un_echec(credentials: dict[str, Any], **_: object) -> None:
    """L'identifiant tapé n'est pas gardé : on y tape parfois son mot de passe."""
    consigner(Genre.MOT_DE_PASSE_FAUX, compte=trouver(str(credentials.get("username", ""))))


@receiver(authentication_failed)
def noter_un_facteur_faux(user: Utilisateur, **_: object) -> None:
    consigner(Genre.FACTEUR_FAUX, compte=user)


@receiver(post_save, sender=Authenticator)
def noter_un_facteur_ajoute(instance: Authenticator, created: bool, **_: object) -> None:
    if created:
        consigner(Genre.FACTEUR_AJOUTE, compte=instance.user, objet=_nommer(instance))


@receiver(post_delete, sender=Authenticator)
def noter_un_facteur_ote(instance: Authenticator, **_: object) -> None:
    consigner(Genre.FACTEUR_OTE, compte=instance.user, objet=_nommer(instance))


def _nommer(facteur: Authenticator) -> str:
    """En français, quelle que soit la langue de la page : le journal se lit au bureau."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(facteur.get_type_display())


class TemoinDesMotsDePasse:
    """Un validateur qui n'en refuse aucun : Django lui dit chaque mot de passe changé, d'où que ce soit."""

    def validate(self, password: str, user: Utilisateur | None = None) -> None:
        """Rien à redire."""

    def get_help_text(self) -> str:
        return ""

    def password_changed(self, password: str, user: Utilisateur) -> None:
        consigner(Genre.MOT_DE_PASSE, compte=user)


@receiver(post_save, sender=Utilisateur)
def noter_un_operateur(instance: Utilisateur, created: bool, **_: object) -> None:
    if created and instance.is_superuser:
        consigner(Genre.ROLE, compte=instance, objet="opérateur")


@receiver(post_save, sender=Agent)
def noter_un_role(instance: Agent, **_: object) -> None:
    consigner(Genre.ROLE, compte=instance.utilisateur, objet=f"rôle : {instance.get_role_display()}")


@receiver(pre_delete, sender=Agent)
def noter_la_fin_d_un_role(instance: Agent, **_: object) -> None:
    consigner(Genre.ROLE, compte=instance.utilisateur, objet=f"rôle ôté : {instance.get_role_display()}")


@receiver(m2m_changed, sender=Agent.cafs.through)
def noter_ses_cafs(instance: Agent, action: str, pk_set: set[str] | None, **_: object) -> None:
    if action in ("post_add", "post_remove") and pk_set:
        verbe = "ajoutées" if action == "post_add" else "ôtées"
        cafs = pk_set | _get_cafs(instance.utilisateur)
        consigner(
            Genre.ROLE, compte=instance.utilisateur, objet=f"Caf {verbe} : {', '.join(sorted(pk_set))}", cafs=cafs
        )


@receiver(consultation)
def noter_une_consultation(
    sender: type[Model], request: HttpRequest, objet: Model | None, *, is_export: bool = False, **_: object
) -> None:
    if objet is None:
        # Les filtres disent quelles lignes sont parties ; ce qui est cherché, non : on y tape un nom.
        choisis = [f"{nom}={valeur}" for nom, valeur in sorted(request.GET.items()) if "__" in nom or nom == "caf"]
        filtres = "&".join([*choisis, *(["recherche"] if request.GET.get("q") else [])])
        quoi = f"{sender._meta.label_lower} {filtres}".strip()[:200] if is_export else sender._meta.label_lower
        consigner(Genre.EXPORT if is_export else Genre.LISTE, objet=quoi)
        return
    personne = _trouver_la_personne(objet)
    caf = getattr(objet, "caf_id", None)
    consigner(
        Genre.CONSULTATION,
        allocataire=personne,
        objet=f"{sender._meta.label_lower} {objet.pk}",
        cafs={caf} if caf and not personne else None,
    )


def _trouver_la_personne(objet: Model | None) -> Allocataire | None:
    if objet is None or isinstance(objet, Allocataire):
        return objet
    suite = next((suite for nom in VERS_LA_PERSONNE if (suite := getattr(objet, nom, None)) is not None), None)
    return _trouver_la_personne(suite)
