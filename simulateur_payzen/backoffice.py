"""Le petit Back Office : transactions, gestes, notifications, réglages, pannes, journaux, courriels."""

from datetime import date
from decimal import Decimal, DecimalException, InvalidOperation
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import gestes, operations
from .journaux import JOURNAUX, ecrire, nommer
from .models import AppelIpn, Boutique, Courriel, Transaction, get_boutique, get_boutiques
from .reglages import PANNES_IPN, PANNES_REST, REGLES, ReglageInvalide

PAR_PAGE = 50
REGLAGES_SIMPLES = (
    ("tentatives_supplementaires", "Tentatives supplémentaires"),
    ("session_s", "Durée de session, en secondes"),
    ("quart_d_heure_s", "Période de rejeu, en secondes (900 : un quart d'heure)"),
    ("essais_ipn", "Nombre d'appels en tout, rejeux compris"),
    ("ipn_delai_s", "Délai laissé à la boutique pour répondre, en secondes"),
    ("decalage_horloge_s", "Décalage de l'horloge, en secondes"),
    ("url_notification", "URL de notification (vide : celle de l'environnement)"),
    ("url_retour", "URL de retour par défaut"),
)
LIBELLES_REGLES = {
    "fin": "à la fin du paiement",
    "annulation": "sur annulation ou expiration",
    "refus_tentative": "sur refus d'une tentative",
    "bo": "sur une opération provenant du Back Office",
    "batch": "sur modification par batch",
}


def paginer(requete: HttpRequest, lignes: Any) -> Any:
    """La page demandée par `?page=`."""
    return Paginator(lignes, PAR_PAGE).get_page(requete.GET.get("page"))


@require_safe
def lister(requete: HttpRequest) -> HttpResponse:
    """Les transactions, les plus récentes d'abord, cherchées par référence de commande."""
    cherche = requete.GET.get("recherche", "").strip()
    lignes = Transaction.objects.select_related("boutique")
    if cherche:
        lignes = lignes.filter(order_id__icontains=cherche) | lignes.filter(uuid=cherche)
    contexte = {"page": paginer(requete, lignes), "recherche": cherche}
    return render(requete, "simulateur/bo_liste.html", contexte)


@require_safe
def detailler(requete: HttpRequest, uuid: str) -> HttpResponse:
    """Une transaction, ses suites, ses notifications, et ce qu'on peut en faire."""
    transaction = get_object_or_404(Transaction.objects.select_related("boutique", "session", "parent"), uuid=uuid)
    return montrer(requete, transaction, "")


def montrer(requete: HttpRequest, transaction: Transaction, erreur: str, statut: int = 200) -> HttpResponse:
    """Rend la page d'une transaction."""
    contexte = {
        "transaction": transaction,
        "reste": transaction.montant - transaction.rembourse,
        "suites": transaction.suites.all(),
        "appels": transaction.appels.all(),
        "erreur": erreur,
    }
    return render(requete, "simulateur/bo_transaction.html", contexte, status=statut)


def lire_montant(texte: str) -> int | None:
    """« 12,50 » vaut 1250 centimes ; vide, la totalité ; refuse ce qui ne tombe pas juste."""
    if not texte.strip():
        return None
    try:
        centimes = Decimal(texte.replace(",", ".").replace(" ", "")) * 100
        lisible = centimes.is_finite() and abs(centimes) <= operations.MONTANT_MAXIMAL
        if not lisible or centimes != centimes.to_integral_value():
            raise InvalidOperation
    except DecimalException as erreur:  # « 1e999999 » ne tient même pas dans un Decimal
        raise operations.OperationImpossible("PSP_020", "Ce montant n'est pas une somme en euros.") from erreur
    return int(centimes)


@require_POST
def agir(requete: HttpRequest, uuid: str, geste: str) -> HttpResponse:
    """Fait un geste, puis montre la transaction touchée ou née de lui."""
    transaction = get_object_or_404(Transaction.objects.select_related("boutique", "session", "parent"), uuid=uuid)
    if geste not in gestes.NOMS:
        raise Http404
    try:
        touchee, _ = gestes.executer(transaction, geste, lire_montant(requete.POST.get("montant", "")))
    except operations.OperationImpossible as impossible:
        return montrer(requete, transaction, f"{impossible} ({impossible.code})", 409)
    return redirect("bo_transaction", touchee.uuid)


@require_POST
def remettre(_requete: HttpRequest) -> HttpResponse:
    """Remet en banque tout ce qui attend."""
    for transaction in Transaction.objects.filter(statut__in=operations.A_REMETTRE):
        operations.remettre(transaction)
    return redirect("bo_liste")


@require_safe
def lister_notifications(requete: HttpRequest) -> HttpResponse:
    """Le journal des IPN."""
    lignes = AppelIpn.objects.select_related("session", "boutique")
    return render(requete, "simulateur/bo_notifications.html", {"page": paginer(requete, lignes)})


@require_safe
def detailler_notification(requete: HttpRequest, numero: int) -> HttpResponse:
    """Un appel : ce qui est parti, ce qui est revenu."""
    appel = get_object_or_404(AppelIpn.objects.select_related("session", "boutique"), pk=numero)
    return render(requete, "simulateur/bo_notification.html", {"appel": appel, "champs": sorted(appel.champs.items())})


@require_safe
def lister_courriels(requete: HttpRequest) -> HttpResponse:
    """Les courriels que le marchand aurait reçus."""
    return render(requete, "simulateur/bo_courriels.html", {"page": paginer(requete, Courriel.objects.all())})


@require_http_methods(["GET", "HEAD", "POST"])
def regler(requete: HttpRequest, site_id: str) -> HttpResponse:
    """Règles de notification, réglages et pannes d'une boutique."""
    boutique = get_boutique(site_id)
    if boutique is None:
        raise Http404
    erreur = ""
    if requete.method == "POST":
        try:
            boutique.regler(*lire_reglages(requete))
            return redirect("bo_reglages", site_id)
        except ReglageInvalide as invalide:
            erreur = str(invalide)
    contexte = {"boutique": boutique, "boutiques": get_boutiques(), "erreur": erreur, **decrire_reglages(boutique)}
    return render(requete, "simulateur/bo_reglages.html", contexte, status=400 if erreur else 200)


def lire_reglages(requete: HttpRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Les réglages et les pannes du formulaire."""
    envoi = requete.POST
    reglages: dict[str, Any] = {nom: envoi[nom] for nom, _ in REGLAGES_SIMPLES if nom in envoi}
    reglages |= {
        "regles": envoi.getlist("regles"),
        "rejeu_auto": "rejeu_auto" in envoi,
        "remise_auto": "remise_auto" in envoi,
    }
    pannes = {
        cible: {"genre": envoi[cible], "secondes": envoi.get(f"{cible}_secondes"), "fois": envoi.get(f"{cible}_fois")}
        if envoi.get(cible)
        else None
        for cible in ("ipn", "rest")
    }
    return reglages, pannes


def to_texte(valeur: float | str) -> str:
    """600.0 s'écrit « 600 »."""
    return f"{valeur:g}" if isinstance(valeur, float) else str(valeur)


def decrire_reglages(boutique: Boutique) -> dict[str, Any]:
    """Ce que la page de réglages montre."""
    reglages = boutique.reglages
    return {
        "regles": [(regle, LIBELLES_REGLES[regle], regle in reglages.regles) for regle in REGLES],
        "simples": [(nom, libelle, to_texte(getattr(reglages, nom))) for nom, libelle in REGLAGES_SIMPLES],
        "reglages": reglages,
        "pannes": [
            ("ipn", "Panne des notifications", PANNES_IPN, boutique.pannes.get("ipn")),
            ("rest", "Panne de l'API", PANNES_REST, boutique.pannes.get("rest")),
        ],
    }


@require_safe
def lister_journaux(requete: HttpRequest) -> HttpResponse:
    """Choix d'un journal à télécharger."""
    contexte = {"boutiques": get_boutiques(), "genres": list(JOURNAUX), "modes": ["TEST", "PRODUCTION"]}
    jour = get_boutiques()[0].maintenant().date()
    return render(requete, "simulateur/bo_journaux.html", {**contexte, "jour": jour.isoformat()})


@require_safe
def telecharger_journal(requete: HttpRequest) -> HttpResponse:
    """Un journal en CSV : `?genre=JRB&boutique=12345678&mode=TEST&jour=2026-11-23`."""
    boutique, genre = get_boutique(requete.GET.get("boutique", "")), requete.GET.get("genre", "")
    mode = requete.GET.get("mode", "TEST")
    if boutique is None or genre not in JOURNAUX:
        raise Http404
    try:
        jour = date.fromisoformat(requete.GET.get("jour", ""))
    except ValueError:
        raise Http404 from None
    reponse = HttpResponse(ecrire(genre, boutique, mode, jour), content_type="text/csv; charset=iso-8859-1")
    nom = nommer(genre, boutique, mode, jour)
    reponse.headers["Content-Disposition"] = f'attachment; filename="{nom}"'
    return reponse
