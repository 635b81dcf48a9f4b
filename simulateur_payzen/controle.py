"""
La page de contrôle, en JSON : piloter le simulateur par HTTP (essais, bancs, formation).

    GET  /controle/                        réglages, pannes et heure de chaque boutique
    POST /controle/                        {"boutique": "12345678", "reglages": {…}, "pannes": {…}}
                                           sans « boutique » : toutes ; rend ce que rend le GET
    GET  /controle/transactions/           ?boutique= ?order_id= ?mode= ?statut=      {"transactions": […]}
    GET  /controle/appels/                 ?boutique= ?order_id= ?uuid= ?source=      {"appels": […]}, du premier
                                           au dernier : champs envoyés, code, duree_ms, etat, panne…
    GET  /controle/courriels/              ?boutique=                                 {"courriels": […]}
    POST /controle/transactions/<uuid>/<geste>/   {"montant": 500} (centimes, facultatif)
                                           {"transaction": {…}, "appels": […]} ; 409 si l'état l'interdit
    POST /controle/remise/                 remet en banque tout ce qui est AUTHORISED   {"remises": 3}
    POST /controle/journaux/               {"jour": "2026-11-23"} (facultatif : aujourd'hui, UTC) dépose les journaux
                                           {"dossier": "…", "journaux": ["TEST_JT_SHOP_…"]}
    POST /controle/remise_a_zero/          efface tout, réglages et pannes compris

Gestes : renvoyer (BO), annuler, rembourser, dupliquer, modifier, valider (MERCH_BO si la règle « bo » est active),
echouer_remise, expirer (BATCH si la règle « batch » l'est), remettre, impaye, finir_impaye (jamais d'IPN).

Réglages (`reglages.Reglages`) : regles (parmi fin, annulation, refus_tentative, bo, batch), rejeu_auto, essais_ipn,
tentatives_supplementaires, session_s, quart_d_heure_s, ipn_delai_s, decalage_horloge_s, remise_auto, marques,
algorithme (HMAC-SHA-256 ou SHA-1), url_notification, url_retour.

Pannes : {"ipn": {"genre": "retardee", "secondes": 3, "fois": 1}, "rest": "html"} ; null pour ôter.
    ipn  : perdue (jamais partie, comptée en échec) · retardee · double · apres_retour (1 s après le départ du payeur)
           · desordre (part après l'IPN suivante, ou au bout de 30 s) · signature_fausse · montant_autre (+ 1 €)
           · mode_autre (l'autre mode, signée de sa clé)
    rest : delai · erreur_500 · html

Un POST venu d'une page d'un autre site (en-tête Origin) est refusé ; un programme n'envoie pas cet en-tête.
"""

import json
from collections.abc import Callable
from datetime import UTC, date
from typing import Any

from django.conf import settings
from django.db import transaction as base
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from . import gestes, journaux, operations
from .description import decrire_transaction, to_iso
from .models import AppelIpn, Boutique, Courriel, Transaction, get_boutique, get_boutiques
from .reglages import ReglageInvalide

Vue = Callable[..., JsonResponse]


class DemandeRefusee(Exception):
    """Une demande de contrôle illisible."""


def controler_origine(vue: Vue) -> Vue:
    """Refuse un POST envoyé par une page d'un autre site, et répond 400 à une demande illisible."""

    @csrf_exempt  # l'origine est contrôlée ici, sans cookie
    def protegee(requete: HttpRequest, *args: str, **kwargs: str) -> JsonResponse:
        origine = requete.headers.get("Origin")
        if requete.method == "POST" and origine and origine != f"{requete.scheme}://{requete.get_host()}":
            return JsonResponse({"erreur": "demande venue d'un autre site"}, status=403)
        try:
            return vue(requete, *args, **kwargs)
        except (DemandeRefusee, ReglageInvalide) as erreur:
            return JsonResponse({"erreur": str(erreur)}, status=400)

    return protegee


def lire_objet(requete: HttpRequest) -> dict[str, Any]:
    """Le corps JSON, un objet ; vide si la requête n'a pas de corps."""
    try:
        demande = json.loads(requete.body or b"{}")
    except (ValueError, RecursionError) as erreur:
        raise DemandeRefusee("le corps n'est pas du JSON") from erreur
    if not isinstance(demande, dict):
        raise DemandeRefusee("le corps n'est pas un objet JSON")
    return demande


def viser(site_id: str | None) -> list[Boutique]:
    """La boutique demandée, ou toutes."""
    if not site_id:
        return get_boutiques()
    boutique = get_boutique(site_id) if isinstance(site_id, str) else None
    if boutique is None:
        raise DemandeRefusee(f"boutique inconnue : {site_id}")
    return [boutique]


def decrire_boutique(boutique: Boutique) -> dict[str, Any]:
    """Réglages et pannes d'une boutique, sans ses secrets."""
    return {
        "nom": boutique.nom,
        "reglages": vars(boutique.reglages),
        "pannes": {"ipn": boutique.pannes.get("ipn"), "rest": boutique.pannes.get("rest")},
        "heure": to_iso(boutique.maintenant()),
    }


@controler_origine
@require_http_methods(["GET", "POST"])
def regler(requete: HttpRequest) -> JsonResponse:
    """Lit ou change les réglages et les pannes."""
    if requete.method == "POST":
        demande = lire_objet(requete)
        inconnus = set(demande) - {"boutique", "reglages", "pannes"}
        if inconnus:
            raise DemandeRefusee(f"clés inconnues : {', '.join(sorted(inconnus))}")
        if not all(isinstance(demande.get(cle) or {}, dict) for cle in ("reglages", "pannes")):
            raise DemandeRefusee("« reglages » et « pannes » sont des objets")
        with base.atomic():
            for boutique in viser(demande.get("boutique")):
                boutique.regler(demande.get("reglages") or {}, demande.get("pannes") or {})
    decrites = {boutique.pk: decrire_boutique(boutique) for boutique in get_boutiques()}
    return JsonResponse({"boutiques": decrites, "heure": to_iso(timezone.now())})


def resumer_transaction(transaction: Transaction) -> dict[str, Any]:
    """Une transaction, à plat, avec sa description REST entière."""
    return {
        "uuid": transaction.uuid,
        "boutique": transaction.boutique_id,
        "mode": transaction.mode,
        "operation": transaction.operation,
        "statut": transaction.statut,
        "order_id": transaction.order_id,
        "trans_id": transaction.trans_id,
        "trans_date": transaction.trans_date,
        "montant": transaction.montant,
        "rang": transaction.rang,
        "parent": transaction.parent_id,
        "impayee_le": to_iso(transaction.impayee_le),
        "rest": decrire_transaction(transaction),
    }


def resumer_appel(appel: AppelIpn) -> dict[str, Any]:
    """Un appel, tel qu'il est parti et ce qui est revenu."""
    return {
        "id": appel.pk,
        "boutique": appel.boutique_id,
        "order_id": appel.session.champs.get("vads_order_id", ""),
        "uuid": appel.transaction_id,
        "source": appel.source,
        "essai": appel.essai,
        "etat": appel.etat,
        "panne": appel.panne,
        "url": appel.url,
        "champs": appel.champs,
        "prevu_le": to_iso(appel.prevu_le),
        "envoye_le": to_iso(appel.envoye_le),
        "code": appel.code,
        "duree_ms": appel.duree_ms,
        "erreur": appel.erreur,
        "reponse": appel.reponse,
    }


def filtrer(requete: HttpRequest, lignes: Any, **noms: str) -> Any:
    """Garde les lignes que désignent les paramètres d'adresse présents."""
    filtres = {champ: requete.GET[nom] for nom, champ in noms.items() if requete.GET.get(nom)}
    return lignes.filter(**filtres)


@require_GET
def lister_transactions(requete: HttpRequest) -> JsonResponse:
    """Les transactions, de la plus récente à la plus ancienne."""
    lignes = Transaction.objects.select_related("session", "boutique")
    lignes = filtrer(
        requete, lignes, boutique="boutique_id", order_id="order_id", mode="mode", statut="statut", uuid="uuid"
    )
    return JsonResponse({"transactions": [resumer_transaction(ligne) for ligne in lignes]})


@require_GET
def lister_appels(requete: HttpRequest) -> JsonResponse:
    """Les appels à la boutique, du premier au dernier, qu'ils soient partis ou prévus."""
    lignes = filtrer(
        requete,
        AppelIpn.objects.select_related("session").order_by("pk"),
        boutique="boutique_id",
        order_id="session__champs__vads_order_id",
        uuid="transaction_id",
        source="source",
    )
    return JsonResponse({"appels": [resumer_appel(ligne) for ligne in lignes]})


@require_GET
def lister_courriels(requete: HttpRequest) -> JsonResponse:
    """Les courriels au marchand, du premier au dernier."""
    lignes = filtrer(requete, Courriel.objects.order_by("pk"), boutique="boutique_id")
    courriels = [
        {"boutique": ligne.boutique_id, "objet": ligne.objet, "details": ligne.details, "le": to_iso(ligne.envoye_le)}
        for ligne in lignes
    ]
    return JsonResponse({"courriels": courriels})


@controler_origine
@require_POST
def faire_geste(requete: HttpRequest, uuid: str, geste: str) -> JsonResponse:
    """Fait un geste du Back Office sur une transaction."""
    transaction = get_object_or_404(Transaction.objects.select_related("session", "boutique"), uuid=uuid)
    montant = lire_objet(requete).get("montant")
    if geste not in gestes.NOMS or not (montant is None or type(montant) is int):
        raise DemandeRefusee(f"geste ou montant refusé ; gestes : {', '.join(gestes.NOMS)} ; montant en centimes")
    try:
        touchee, appels = gestes.executer(transaction, geste, montant)
    except operations.OperationImpossible as erreur:
        return JsonResponse({"erreur": str(erreur), "code": erreur.code}, status=409)
    for appel in appels:
        appel.refresh_from_db()
    decrits = [resumer_appel(appel) for appel in appels]
    return JsonResponse({"transaction": resumer_transaction(touchee), "appels": decrits})


@controler_origine
@require_POST
def remettre_tout(_requete: HttpRequest) -> JsonResponse:
    """La remise du soir, tout de suite."""
    a_remettre = list(Transaction.objects.filter(statut__in=operations.A_REMETTRE))
    for transaction in a_remettre:
        operations.remettre(transaction)
    return JsonResponse({"remises": len(a_remettre)})


@controler_origine
@require_POST
def deposer_journaux(requete: HttpRequest) -> JsonResponse:
    """Les journaux d'un jour, tout de suite ; ceux d'une journée pas finie se reprennent."""
    jour = lire_objet(requete).get("jour")
    deposes: list[str] = []
    for boutique in get_boutiques():
        try:
            voulu = date.fromisoformat(jour) if jour else boutique.maintenant().astimezone(UTC).date()
        except (TypeError, ValueError) as erreur:
            raise DemandeRefusee("« jour » s'écrit AAAA-MM-JJ") from erreur
        deposes += journaux.deposer(boutique, voulu)
    return JsonResponse({"dossier": settings.JOURNAUX, "journaux": deposes})


@controler_origine
@require_POST
@base.atomic
def remettre_a_zero(_requete: HttpRequest) -> JsonResponse:
    """Efface tout : la base redevient celle d'un premier démarrage."""
    Boutique.objects.all().delete()
    return JsonResponse({"etat": "vide"})
