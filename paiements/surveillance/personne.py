"""
Tout ce que la base dit d'une personne, pour répondre à sa demande d'accès (RGPD, article 15).

Chaque table est ici, d'un côté ou de l'autre : celles qui parlent d'une personne, et par où ; celles qui n'en parlent
pas, et pourquoi.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import CharField, Field, Model, Q, QuerySet
from django.db.models.functions import Cast
from django.utils.timezone import localtime

from comptes.models import Agent, Allocataire, Caf, CodeActivation, Evenement, Utilisateur
from demarches.models import Demarche, LigneDemarche
from dettes.models import Dette, FichierEmis, FichierRecu, LigneEmise, Mouvement, MouvementARendre
from dettes.plausibilite import Plausibilite
from paiements.models import (
    Alerte,
    Anomalie,
    DebitTenu,
    DemandeCloture,
    DemandeMiseDeCote,
    DemandeRestitution,
    EtapeAnomalie,
    EtapePaiement,
    Impaye,
    Imputation,
    JourClos,
    JournalPayzen,
    Liaison,
    LigneJournal,
    MessagePayzen,
    Paiement,
    PartRestituee,
    Purge,
    SoldePaiement,
    Ticket,
    TransactionPayzen,
)
from socle.euros import ecrire_euros

Chemin = Callable[[Utilisateur], Q]


def _au_dossier(*chemins: str) -> Chemin:
    """Ce qui est au dossier : le foyer le partage."""

    def chercher(compte: Utilisateur) -> Q:
        voies = Q()
        for chemin in chemins:
            voies |= Q(**{chemin: compte.allocataire_id})
        return voies

    return chercher


def _au_compte(*chemins: str) -> Chemin:
    """Ce qui est à une seule des personnes du dossier : l'autre ne l'apprend pas."""

    def chercher(compte: Utilisateur) -> Q:
        voies = Q()
        for chemin in chemins:
            voies |= Q(**{chemin: compte.pk})
        return voies

    return chercher


def _demarches(compte: Utilisateur) -> "QuerySet[Demarche]":
    return Demarche.objects.filter(allocataire=compte.allocataire_id).visibles_par(compte)


def _gestes(compte: Utilisateur) -> Q:
    """Le journal du bureau nomme un objet par son type et sa clé, sans lien que suive la base."""
    voies = Q()
    for modele in (Allocataire, Dette, Paiement, Anomalie):
        siens = modele._default_manager.filter(PERSONNE[modele](compte)).annotate(cle_ecrite=Cast("pk", CharField()))
        voies |= Q(content_type=ContentType.objects.get_for_model(modele), object_id__in=siens.values("cle_ecrite"))
    return voies


D_UN_PAIEMENT = "paiement__demarche__allocataire"
D_UNE_ANOMALIE = (
    f"anomalie__{D_UN_PAIEMENT}",
    f"anomalie__transaction__{D_UN_PAIEMENT}",
    "anomalie__dette__allocataire",
)

PERSONNE: dict[type[Model], Chemin] = {
    Allocataire: _au_dossier("pk"),
    Utilisateur: _au_compte("pk"),
    CodeActivation: _au_compte("utilisateur"),
    Authenticator: _au_compte("user"),
    EmailAddress: _au_compte("user"),
    UserSession: _au_compte("user"),
    # Qui a regardé le dossier, et ce qu'a fait ce compte-ci ; ce que fait le conjoint n'est qu'à lui.
    Evenement: lambda compte: Q(allocataire=compte.allocataire_id) | Q(compte=compte.pk) | Q(auteur=compte.pk),
    Dette: _au_dossier("allocataire"),
    Mouvement: _au_dossier("dette__allocataire"),
    MouvementARendre: _au_dossier("mouvement__dette__allocataire"),
    LigneEmise: _au_dossier("mouvement__dette__allocataire"),
    # Ce que le conjoint n'a pas encore demandé n'est qu'à lui (docs/adr/0032).
    Demarche: lambda compte: Q(pk__in=_demarches(compte)),
    LigneDemarche: lambda compte: Q(demarche__in=_demarches(compte)),
    Paiement: _au_dossier("demarche__allocataire"),
    EtapePaiement: _au_dossier(D_UN_PAIEMENT),
    TransactionPayzen: _au_dossier(D_UN_PAIEMENT),
    MessagePayzen: _au_dossier(D_UN_PAIEMENT, f"transaction__{D_UN_PAIEMENT}"),
    LigneJournal: _au_dossier(f"transaction__{D_UN_PAIEMENT}"),
    Imputation: _au_dossier(D_UN_PAIEMENT),
    Impaye: _au_dossier(f"debit__{D_UN_PAIEMENT}"),
    DemandeRestitution: _au_dossier(D_UN_PAIEMENT),
    PartRestituee: _au_dossier(f"demande__{D_UN_PAIEMENT}"),
    DemandeMiseDeCote: _au_dossier(*D_UNE_ANOMALIE),
    DemandeCloture: _au_dossier(D_UN_PAIEMENT),
    Anomalie: _au_dossier(D_UN_PAIEMENT, f"transaction__{D_UN_PAIEMENT}", "dette__allocataire"),
    EtapeAnomalie: _au_dossier(*D_UNE_ANOMALIE),
    Ticket: _au_dossier(D_UN_PAIEMENT),
    LogEntry: _gestes,
}

SANS_PERSONNE: dict[type[Model], str] = {
    Caf: "une caisse",
    Agent: "un agent n'est pas allocataire : sa demande va à son employeur",
    Agent.cafs.through: "idem",
    FichierRecu: "des nombres de lignes ; les dettes qu'il portait sont ci-dessus",
    FichierEmis: "idem",
    Alerte: "ce dont l'exploitant a été prévenu",
    Liaison: "une boutique, un serveur",
    JourClos: "des totaux, et l'agent qui les a clos",
    JournalPayzen: "le nom d'un fichier et des nombres ; ses lignes sont ci-dessus",
    Plausibilite: "des seuils",
    Purge: "des nombres",
    DebitTenu: "une vue : elle se calcule de ce qui est ci-dessus",
    SoldePaiement: "idem",
    Session: "deux heures au plus, et rien qui ne soit déjà à la démarche ou aux appareils connectés",
    EmailConfirmation: "vide : personne ne confirme de courriel ici",
    Group: "des droits",
    Group.permissions.through: "idem",
    Permission: "idem",
    Utilisateur.groups.through: "vide : un allocataire n'a aucun droit au bureau",
    Utilisateur.user_permissions.through: "idem",
    ContentType: "les noms de nos tables",
}

# Ce qui ouvrirait la porte à qui lirait le fichier : on dit que c'est là, pas ce que c'est.
SECRETS = {"password", "empreinte", "data", "session_key"}
# Une autre personne : un agent agit au nom de sa Caf, et n'a pas à être nommé.
AUTEURS = {"auteur", "demandeur", "approbateur", "user", "utilisateur"}
ANONYMES = {"", "allocataire", "PayZen", "service"}


class Table(NamedTuple):
    """Une table, et ce qu'elle dit : une liste de (libellé, valeur) par ligne."""

    nom: str
    lignes: list[list[tuple[str, str]]]


def rassembler(compte: Utilisateur) -> Iterator[Table]:
    """
    Rend, table par table, tout ce qui parle de cette personne et de son dossier.

    :param compte: celui de la personne qui demande ; l'autre compte du dossier, s'il y en a un, garde ce qui est à lui
    """
    for modele, chemin in PERSONNE.items():
        objets = modele._default_manager.filter(chemin(compte)).order_by("pk").distinct()
        nom = str(modele._meta.verbose_name_plural)
        yield Table(nom, [[*_decrire(objet, compte)] for objet in objets])


def _decrire(objet: Model, compte: Utilisateur) -> Iterator[tuple[str, str]]:
    for champ in objet._meta.concrete_fields:
        valeur = _ecrire(objet, champ, compte)
        if valeur:
            yield str(champ.verbose_name), valeur


def _ecrire(objet: Model, champ: "Field[Any, Any]", compte: Utilisateur) -> str:
    valeur = getattr(objet, champ.attname)
    if valeur in (None, "") or champ.name == "id":
        return ""
    if champ.name in SECRETS:
        return "(gardé secret)"
    if champ.name in AUTEURS:
        return _nommer(valeur, compte)
    if isinstance(objet, Demarche) and champ.name == "courriel" and objet.auteur_id != compte.pk:
        return "(celui de l'autre personne du dossier)"
    if champ.is_relation:
        return str(getattr(objet, champ.name))
    return _formater(objet, champ, valeur)


def _nommer(auteur: object, compte: Utilisateur) -> str:
    if auteur in (compte.pk, compte.identifiant):
        return "vous"
    return str(auteur) if auteur in ANONYMES else "une autre personne, agent ou membre du dossier"


def _formater(objet: Model, champ: "Field[Any, Any]", valeur: Any) -> str:
    if champ.choices:
        return str(getattr(objet, f"get_{champ.name}_display")())
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    if isinstance(valeur, datetime):
        return f"{localtime(valeur):%d/%m/%Y %H:%M} (heure de Paris)"
    if isinstance(valeur, date):
        return f"{valeur:%d/%m/%Y}"
    if champ.get_internal_type() == "DecimalField":
        return ecrire_euros(valeur)
    return str(valeur)
