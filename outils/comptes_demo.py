"""Les comptes d'essai de la démonstration, et la marque qui dit qu'une base est la sienne."""

import base64
import json
import secrets
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from comptes import services
from comptes.identifiants import normaliser
from comptes.models import Agent, Allocataire, Caf, Utilisateur
from outils.systeme import Empechement, write_private

BOUTIQUES = {"661": "66100001", "751": "75100001", "598": "59800001"}
# À partir de là, la vérification attend qu'un agent la confirme : de quoi voir « enregistrée » et le bandeau.
SEUIL_DE_CONTROLE = 100  # euros
# Jours ouvrés, entre un paiement enregistré et des dettes à jour.
DELAI_ANNONCE = 2
PLUSIEURS = range(3, 7)
OPERATEUR = "operateur"
SEUIL = Decimal(100)
CONSONNES, VOYELLES = "bdfgklmnprstvz", "aeiou"
# Un commentaire que seule la préparation écrit, et seulement sur une base encore vide.
TABLE, MARQUE = "comptes_utilisateur", "démonstration"
AUTRE_BASE = (
    "cette base n'est pas celle d'une démonstration : rien n'y a été changé. Donnez-en une vide par DATABASE_URL, "
    "ou tapez make demo-neuve pour repartir de rien."
)


def adopter_la_base() -> None:
    """La base embarquée n'a servi qu'à la démonstration, même celle d'une version qui ne la marquait pas."""
    with connection.cursor() as curseur:
        if TABLE in connection.introspection.table_names(curseur):
            curseur.execute(f"COMMENT ON TABLE {TABLE} IS '{MARQUE}'")


def refuser_une_autre_base() -> None:
    """
    N'écrit rien : dit si cette base est celle de la démonstration, ou encore vide.

    :raises Empechement: si elle sert à autre chose, ou si le service est réglé pour de vrais paiements
    """
    if settings.PAYZEN_MODE == "PRODUCTION":
        raise Empechement("des comptes d'essai n'ont pas leur place en production (PAYZEN_MODE=PRODUCTION).")
    with connection.cursor() as curseur:
        if TABLE not in connection.introspection.table_names(curseur):
            return
        curseur.execute("SELECT obj_description(%s::regclass, 'pg_class')", [TABLE])
        (marque,) = curseur.fetchone()
    if marque != MARQUE and (Utilisateur.objects.exists() or Allocataire.objects.exists()):
        raise Empechement(AUTRE_BASE)


def marquer_la_base() -> None:
    """Retient que cette base est celle de la démonstration. Les tables existent ; elle a passé le refus."""
    refuser_une_autre_base()
    with connection.cursor() as curseur:
        curseur.execute(f"COMMENT ON TABLE {TABLE} IS '{MARQUE}'")


def preparer(fichier: Path) -> None:
    """
    Ouvre les comptes d'essai et les écrit en JSON, lisibles de nous seuls. Ne change rien si le fichier existe.

    :raises Empechement: si la base est une autre, ou s'il y manque les livraisons d'exemple
    """
    if fichier.exists():
        return
    refuser_une_autre_base()
    with transaction.atomic():
        cafs = _ouvrir_les_cafs()
        acces = [*_ouvrir_les_allocataires(), *_ouvrir_les_agents(cafs), _ouvrir_l_operateur()]
    write_private(fichier, json.dumps(acces, ensure_ascii=False, indent=2))


def tirer_mot_de_passe() -> str:
    """Quatre mots inventés de deux syllabes, à dicter : « bato-kelu-rimo-safe », soit 49 bits de hasard."""
    return "-".join("".join(_tirer_syllabe() for _ in range(2)) for _ in range(4))


def _tirer_syllabe() -> str:
    return secrets.choice(CONSONNES) + secrets.choice(VOYELLES)


def _ouvrir_les_cafs() -> list[Caf]:
    """Rattache à chaque Caf de démonstration sa boutique PayZen d'essai, son seuil de contrôle et son délai."""
    cafs = list(Caf.objects.filter(pk__in=BOUTIQUES).order_by("pk"))
    if len(cafs) != len(BOUTIQUES):
        raise Empechement("il manque des Caf : lancez d'abord charger_cafs, puis importer_livraison.")
    for caf in cafs:
        caf.boutique = BOUTIQUES[caf.code]
        caf.seuil_mise_de_cote = SEUIL
        caf.seuil_controle, caf.delai_mise_a_jour = SEUIL_DE_CONTROLE, DELAI_ANNONCE
        caf.save(update_fields=["boutique", "seuil_mise_de_cote", "seuil_controle", "delai_mise_a_jour"])
    return cafs


def _ouvrir_les_allocataires() -> Iterator[dict[str, str]]:
    """Un dossier par situation, toujours le même pour les mêmes données ; les trois Caf y sont."""
    dossiers = Allocataire.objects.order_by("numero")
    ouverts, clos = dossiers.filter(radie_le=None), dossiers.exclude(radie_le=None)
    yield _ouvrir("allocataire qui a plusieurs dettes", _trouver(ouverts.filter(caf="661"), PLUSIEURS))
    yield _ouvrir("allocataire au dossier clos, qui doit encore", _trouver(clos.filter(caf="751"), PLUSIEURS))
    yield _ouvrir("allocataire qui a trente dettes", dossiers.filter(caf="661", numero="0000355").first())
    yield _ouvrir("allocataire sans dette", ouverts.filter(caf="598", dettes=None).first())


def _trouver(dossiers: QuerySet[Allocataire], nombre: range) -> Allocataire | None:
    return next((dossier for dossier in dossiers if dossier.dettes.payables().count() in nombre), None)


def _ouvrir(role: str, dossier: Allocataire | None) -> dict[str, str]:
    if dossier is None:
        raise Empechement(f"aucun dossier pour « {role} » : importez d'abord les livraisons d'exemple.")
    identifiant = normaliser(f"{dossier.caf_id}{dossier.numero}")
    utilisateur, _ = Utilisateur.objects.get_or_create(identifiant=identifiant, defaults={"allocataire": dossier})
    return _donner_un_mot_de_passe(role, utilisateur)


def _ouvrir_les_agents(cafs: list[Caf]) -> Iterator[dict[str, str]]:
    """Un agent par rôle, sa double authentification déjà active."""
    for role in Agent.Role:
        nom = f"agent-{role.lower()}"
        agent, _ = services.creer_agent(nom, role, cafs, f"{nom}@caf.invalid")
        yield _donner_deux_facteurs(f"agent, {role.label}", agent.utilisateur)


def _ouvrir_l_operateur() -> dict[str, str]:
    """Qui règle les boutiques et les comptes, et regarde tout."""
    operateur = Utilisateur.objects.filter(identifiant=OPERATEUR).first()
    operateur = operateur or Utilisateur.objects.create_superuser(OPERATEUR, courriel=f"{OPERATEUR}@caf.invalid")
    return _donner_deux_facteurs(OPERATEUR, operateur)


def _donner_deux_facteurs(role: str, utilisateur: Utilisateur) -> dict[str, str]:
    Authenticator.objects.filter(user=utilisateur).delete()
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    Authenticator.objects.create(user=utilisateur, type=Authenticator.Type.TOTP, data={"secret": encrypt(secret)})
    return _donner_un_mot_de_passe(role, utilisateur) | {"secret_totp": secret}


def _donner_un_mot_de_passe(role: str, utilisateur: Utilisateur) -> dict[str, str]:
    mot_de_passe = tirer_mot_de_passe()
    utilisateur.set_password(mot_de_passe)
    utilisateur.save(update_fields=["password"])
    return {"role": role, "identifiant": utilisateur.identifiant, "mot_de_passe": mot_de_passe}
