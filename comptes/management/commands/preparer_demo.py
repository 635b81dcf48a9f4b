"""Les comptes d'essai de la démonstration."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import QuerySet

from comptes import services
from comptes.identifiants import normaliser
from comptes.models import Agent, Allocataire, Caf, Utilisateur
from comptes.mots_de_passe import tirer_mot_de_passe

BOUTIQUES = {"661": "66100001", "751": "75100001", "598": "59800001"}
PLUSIEURS = range(3, 7)


class Command(BaseCommand):
    help = "Prépare les comptes de la démonstration et les écrit en JSON. Ne change rien si le fichier existe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--comptes", required=True, help="fichier à créer, lisible de vous seul")

    def handle(self, *, comptes: str, **_: object) -> None:
        fichier = Path(comptes)
        if settings.PAYZEN_MODE == "PRODUCTION":
            raise CommandError("Des comptes d'essai n'ont pas leur place en production (PAYZEN_MODE=PRODUCTION).")
        if fichier.exists():
            self.stdout.write(f"{comptes} existe : rien n'a été changé.")
            return
        with transaction.atomic():
            cafs = _ouvrir_les_cafs()
            acces = [*_ouvrir_les_allocataires(), *_ouvrir_les_agents(cafs)]
        descripteur = os.open(fichier, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descripteur, "w", encoding="utf-8") as flux:
            json.dump(acces, flux, ensure_ascii=False, indent=2)
        self.stdout.write(self.style.SUCCESS(f"{len(acces)} comptes écrits dans {comptes}."))


def _ouvrir_les_cafs() -> list[Caf]:
    """Rattache à chaque Caf de démonstration sa boutique PayZen d'essai."""
    cafs = list(Caf.objects.filter(pk__in=BOUTIQUES).order_by("pk"))
    if len(cafs) != len(BOUTIQUES):
        raise CommandError("Il manque des Caf : lancez d'abord charger_cafs, puis importer_livraison.")
    for caf in cafs:
        caf.boutique = BOUTIQUES[caf.code]
        caf.save(update_fields=["boutique"])
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
        raise CommandError(f"Aucun dossier pour « {role} » : importez d'abord les livraisons d'exemple.")
    identifiant = normaliser(f"{dossier.caf_id}{dossier.numero}")
    utilisateur, _ = Utilisateur.objects.get_or_create(identifiant=identifiant, defaults={"allocataire": dossier})
    return _donner_un_mot_de_passe(role, utilisateur)


def _ouvrir_les_agents(cafs: list[Caf]) -> Iterator[dict[str, str]]:
    """Un agent par rôle, sa double authentification déjà active."""
    for role in Agent.Role:
        agent, _ = services.creer_agent(f"agent-{role.lower()}", role, cafs, tirer_mot_de_passe())
        Authenticator.objects.filter(user=agent.utilisateur).delete()
        secret = generate_totp_secret()
        TOTP.activate(agent.utilisateur, secret)
        yield _donner_un_mot_de_passe(f"agent, {role.label}", agent.utilisateur) | {"secret_totp": secret}


def _donner_un_mot_de_passe(role: str, utilisateur: Utilisateur) -> dict[str, str]:
    mot_de_passe = tirer_mot_de_passe()
    utilisateur.set_password(mot_de_passe)
    utilisateur.save(update_fields=["password"])
    return {"role": role, "identifiant": utilisateur.identifiant, "mot_de_passe": mot_de_passe}
