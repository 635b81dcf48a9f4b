"""Toutes les adresses du service, et ce que chacun y reçoit : de quoi remplir, ligne à ligne, la table `acces.txt`."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import responses
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from comptes.models import Agent, Caf, Evenement, Utilisateur
from dettes.models import FichierEmis, FichierRecu, Plausibilite
from paiements.models import Anomalie
from paiements.retours import cloture, mise_de_cote, restitution
from socle.gestes import GestesAdmin
from tests.connexion import entrer, entrer_en_agent, poser_un_totp
from tests.factories import (
    MOT_DE_PASSE,
    AgentFactory,
    AllocataireFactory,
    CafFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
)

ROLES = {
    "anonyme": "qui n'est pas connecté",
    "soi": "l'allocataire, chez lui",
    "radié": "le même, radié",
    "conjoint": "l'autre compte du même dossier",
    "autre": "un allocataire de la même Caf",
    "loin": "un allocataire d'une autre Caf",
    "nu": "un compte sans dossier",
    "consult.": "un agent de la Caf, qui consulte",
    "gestion": "un agent de la Caf, de gestion",
    "compta.": "un agent de la Caf, comptable",
    "resp.": "un agent de la Caf, responsable",
    "ailleurs": "un responsable d'une autre Caf",
    "opér.": "un opérateur",
    "staff": "un compte du bureau qui n'est pas un agent",
    "facteur": "un agent sans second facteur",
}
# Ce qu'une page a le droit d'écrire quand on ne fait que la regarder : la session, et qu'on l'a regardée.
ECRITURES_PERMISES = ('"django_session"', '"usersessions_usersession"', '"comptes_evenement"')
DESTINATIONS = {"/connexion/": ">con", "/agents/login/": ">con", "/agents/": ">bur"}
# Sans eux, la recherche en ligne du bureau refuse avant de chercher.
AUTOCOMPLETION = "?term=&app_label=paiements&model_name=paiement&field_name=caf"
TABLE = Path(__file__).with_name("acces.txt")


class Monde:
    """Un dossier de la Caf 661, tout ce qui en dépend, et ceux qui le regardent."""

    def __init__(self) -> None:
        self.soi = UtilisateurFactory()
        allocataire = self.soi.allocataire
        self.conjoint = UtilisateurFactory(allocataire=allocataire, identifiant="conjoint")
        dette = DetteFactory(allocataire=allocataire)
        demande = DemarcheFactory(auteur=self.soi, lignes={DetteFactory(allocataire=allocataire): Decimal(120)})
        paiement = PaiementFactory(impute=True, demarche=demande)
        attente = PaiementFactory(
            demarche=DemarcheFactory(auteur=self.soi, lignes={DetteFactory(allocataire=allocataire): Decimal(1)})
        )
        brouillon = DemarcheFactory(auteur=self.soi, lignes={dette: Decimal(10)})
        anomalie = Anomalie.objects.create(caf=paiement.caf, paiement=paiement, genre=Anomalie.Genre.ECART)
        self.agent = AgentFactory(role=Agent.Role.GESTION)
        rendu = restitution.demander(paiement, motif="erreur", agent=self.agent.utilisateur)
        fin = cloture.demander(attente, motif="clés perdues", agent=self.agent.utilisateur)
        Caf.objects.update(seuil_mise_de_cote=1)
        laisse = mise_de_cote.demander(anomalie, motif="à part", agent=self.agent.utilisateur)
        commun = {"caf": paiement.caf, "sequence": 1, "empreinte": "e"}
        recu = FichierRecu.objects.create(
            **commun, arrete_le=timezone.now(), mode="complet", somme_soldes=0, derniere_sequence_encaissements=0
        )
        emis = FichierEmis.objects.create(**commun, lignes=0, total=0)
        bornes = Plausibilite.objects.create(caf=paiement.caf)
        self.references = {
            "dettes": dette.reference,
            "demarches": demande.reference,
            **dict.fromkeys(("rembourser", "payer"), brouillon.reference),
            **dict.fromkeys(("retour", "ticket.pdf", "attestation.pdf"), paiement.reference),
        }
        self.objets: dict[str, Any] = {
            objet._meta.label_lower: objet.pk
            for objet in (allocataire, paiement.caf, dette, paiement, anomalie, rendu, fin, laisse, recu, emis, bornes)
        }
        regard = Evenement.objects.create(genre=Evenement.Genre.LISTE, cafs=["661"])
        facteur = poser_un_totp(self.agent.utilisateur)
        self.objets |= {o._meta.label_lower: o.pk for o in (self.agent, self.soi, facteur, regard)}

    def entrer(self, client: Client, role: str) -> None:
        """Connecte ce client dans ce rôle, par les pages du service."""
        utilisateur = self._creer(role)
        if isinstance(utilisateur, AnonymousUser):
            return
        if utilisateur.is_staff and role != "facteur":
            entrer_en_agent(client, utilisateur)
        else:
            entrer(client, utilisateur.identifiant)

    def _creer(self, role: str) -> Utilisateur | AnonymousUser:
        if role == "radié":
            self.soi.allocataire.radie_le = date(2026, 3, 31)
            self.soi.allocataire.save()
        agent = partial(self._creer_un_agent, Agent.Role.CONSULTATION)
        naissances = {
            "anonyme": AnonymousUser,
            "soi": lambda: self.soi,
            "radié": lambda: self.soi,
            "conjoint": lambda: self.conjoint,
            "autre": UtilisateurFactory,
            "loin": lambda: UtilisateurFactory(allocataire=AllocataireFactory(caf=CafFactory(code="751"))),
            "nu": lambda: UtilisateurFactory(allocataire=None, identifiant="nu"),
            "consult.": agent,
            "gestion": partial(self._creer_un_agent, Agent.Role.GESTION),
            "compta.": partial(self._creer_un_agent, Agent.Role.COMPTABLE),
            "resp.": partial(self._creer_un_agent, Agent.Role.RESPONSABLE),
            "ailleurs": partial(self._creer_un_agent, Agent.Role.RESPONSABLE, cafs=[CafFactory(code="751")]),
            "opér.": lambda: Utilisateur.objects.create_superuser("operateur", MOT_DE_PASSE),
            "staff": lambda: UtilisateurFactory(allocataire=None, identifiant="staff", is_staff=True),
            "facteur": agent,
        }
        return naissances[role]()

    def _creer_un_agent(self, role: str, **champs: Any) -> Utilisateur:
        utilisateur: Utilisateur = AgentFactory(role=role, **champs).utilisateur
        return utilisateur

    def get_adresse(self, chemin: str) -> str:
        """L'adresse d'un chemin de la table, ses paramètres remplis par les objets de ce monde."""
        parties = chemin.strip("/").split("/")
        reference = next((self.references[partie] for partie in reversed(parties) if partie in self.references), "")
        objet = self.objets.get(".".join(parties[1:3]), 1)
        adresse = (
            chemin.replace("<reference>", reference).replace("<pk>", str(objet)).replace("<object_id>", str(objet))
        )
        adresse = adresse.replace("<caf>", "661").replace("<jour>", "2026-11-27")
        adresse += AUTOCOMPLETION if adresse.endswith("/autocomplete/") else ""
        return adresse.replace("<content_type_id>", "1").replace("<app_label>", "comptes").replace("<url>", "x")


def lister_les_chemins() -> list[str]:
    """Les adresses que Django connaît, une ligne chacune ; une par bouton pour les gestes du bureau."""
    chemins = []
    for chemin in _parcourir(get_resolver()):
        if not chemin.endswith("/geste/<nom>/"):
            chemins.append(chemin)
            continue
        app, modele = chemin.split("/")[2:4]
        fiches = (f for m, f in admin.site._registry.items() if m._meta.label_lower == f"{app}.{modele}")
        boutons = next(fiche.boutons for fiche in fiches if isinstance(fiche, GestesAdmin))
        chemins += [chemin.replace("<nom>", bouton.nom) for bouton in boutons]
    return list(dict.fromkeys(chemins))


def _parcourir(ou: URLResolver, avant: str = "/") -> Iterator[str]:
    for motif in ou.url_patterns:
        chemin = avant + _nettoyer(str(motif.pattern))
        if isinstance(motif, URLPattern):
            yield chemin
        else:
            yield from _parcourir(motif, chemin)


def _nettoyer(motif: str) -> str:
    """Un motif d'adresse, écrit de la même façon qu'il vienne de `path` ou de `re_path`."""
    sans_type = re.sub(r"<\w+:(\w+)>", r"<\1>", motif)
    return re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", sans_type).removeprefix("^").removesuffix("$")


def lister_les_demandes() -> list[tuple[str, str]]:
    """Ce que l'on demande : tout, en GET et en POST."""
    return [(methode, chemin) for chemin in lister_les_chemins() for methode in ("GET", "POST")]


def lire_la_table() -> dict[tuple[str, str], dict[str, str]]:
    """Ce que la table promet : à qui demande quoi, la réponse de chaque rôle."""
    lignes = [ligne.split() for ligne in TABLE.read_text().splitlines() if not ligne.startswith("#")]
    _, _, *roles = lignes[0]
    return {(methode, chemin): dict(zip(roles, recus, strict=True)) for methode, chemin, *recus in lignes[1:]}


def relever(client: Client, monde: Monde, role: str) -> dict[tuple[str, str], str]:
    """Ce que ce rôle reçoit de chaque adresse ; chaque demande est défaite avant la suivante."""
    monde.entrer(client, role)
    client.raise_request_exception = False
    biscuits = client.cookies.output()
    recu = {}
    for methode, chemin in lister_les_demandes():
        cache.clear()
        client.cookies.load(biscuits.replace("Set-Cookie: ", ""))
        with transaction.atomic(), responses.RequestsMock(assert_all_requests_are_fired=False):
            recu[methode, chemin] = _demander(client, methode, monde.get_adresse(chemin))
            transaction.set_rollback(True)
    return recu


def _demander(client: Client, methode: str, adresse: str) -> str:
    ecrits: list[str] = []

    def noter(execute: Any, sql: str, params: Any, many: bool, contexte: Any) -> Any:
        if re.match(r"\s*(INSERT|UPDATE|DELETE)", sql) and not any(table in sql for table in ECRITURES_PERMISES):
            ecrits.append(sql)
        return execute(sql, params, many, contexte)

    with connection.execute_wrapper(noter):
        reponse = client.generic(methode, adresse)
    return "écrit" if methode == "GET" and ecrits else _nommer(reponse)


def _nommer(reponse: HttpResponse) -> str:
    """Le code de la réponse ; d'un renvoi, où il mène : connexion, bureau, activation du facteur, ou ailleurs."""
    if reponse.status_code not in (301, 302):
        return str(reponse.status_code)
    destination = reponse["Location"].partition("?")[0]
    if destination.startswith("/compte/double-authentification/"):
        return ">fac"
    return DESTINATIONS.get(destination, ">")
