"""
Le champ en tête de chaque page du bureau : ce que l'on y tape, ce qu'il trouve.

Ce qui est tapé (un nom, un numéro) n'est ni dans l'adresse, ni au journal : il attend dans la session (DOMAINE §6).
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from comptes.models import Allocataire
from demarches.models import Demarche
from dettes.models import Dette
from paiements.bureau import lectures
from paiements.bureau.dossier import dire_ou_est_l_argent
from paiements.bureau.faits import dire_l_heure, dire_la_transaction
from paiements.bureau.qui import get_page, nommer
from paiements.models import Anomalie, Paiement, TransactionPayzen
from socle.bornes import borner
from socle.bureau import can, consultation, get_codes
from socle.carte import LUE_AU_PLUS, has_numero_de_carte
from socle.euros import ecrire_euros

CLE, GARDEES = "recherches", 10
LONGUEUR = 100


@require_http_methods(["GET", "HEAD", "POST"])
@borner("liste")
def rechercher(request: HttpRequest) -> HttpResponse:
    """Un envoi se garde et renvoie à sa page ; la page montre ce qu'elle trouve, ou y mène si c'est unique."""
    if not can(request, "regarder"):
        raise PermissionDenied
    if request.method == "POST":
        return _garder(request)
    saisie = lectures.nettoyer(_relire(request))
    pistes = (
        [_presenter(titre, lignes) for titre, lignes in lectures.lire(saisie, get_codes(request))] if saisie else []
    )
    consultation.send(Allocataire, request=request, objet=None)
    adresses = {ligne["adresse"] for piste in pistes for ligne in piste["lignes"]}
    if len(adresses) == 1:
        return redirect(adresses.pop())
    contexte = {**admin.site.each_context(request), "title": "Recherche", "saisie": saisie, "pistes": pistes}
    return TemplateResponse(request, "admin/recherche.html", contexte)


class ChercheAdmin:
    """Une liste dont le « ?q= » comprend tout ce que comprend le champ de recherche."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        saisie = lectures.nettoyer(search_term[:LONGUEUR])
        return (filtrer(queryset, saisie, get_codes(request)) if saisie else queryset), False


def filtrer(objets: QuerySet[Any], saisie: str, codes: list[str]) -> QuerySet[Any]:
    """Ce qui, dans cette liste, est trouvé, ou est à qui est trouvé."""
    trouves = [objet for _, lignes in lectures.lire(saisie, codes) for objet in lignes]
    cles: dict[type, list[Any]] = {}
    for objet in trouves:
        cles.setdefault(type(objet), []).append(objet.pk)
    personnes = cles.get(Allocataire, [])
    if objets.model is Allocataire:
        return objets.filter(pk__in=personnes)
    if objets.model is Dette:
        return objets.filter(Q(pk__in=cles.get(Dette, [])) | Q(allocataire__in=personnes))
    demarches = Demarche.objects.filter(Q(pk__in=cles.get(Demarche, [])) | Q(allocataire__in=personnes))
    paiements = {objet.paiement_id for objet in trouves if isinstance(objet, TransactionPayzen)}
    paiements |= set(
        Paiement.objects.filter(demarche__in=list(demarches.values_list("pk", flat=True))).values_list("pk", flat=True)
    )
    paiements = (paiements | set(cles.get(Paiement, []))) - {None}
    if objets.model is Paiement:
        return objets.filter(pk__in=paiements)
    vues = cles.get(TransactionPayzen, [])
    return objets.filter(Q(paiement__in=paiements) | Q(transaction__in=vues) | Q(dette__in=cles.get(Dette, [])))


def _garder(request: HttpRequest) -> HttpResponseRedirect:
    saisie = request.POST.get("q", "")
    if has_numero_de_carte(saisie[:LUE_AU_PLUS]):
        messages.error(request, "Rien n'a été cherché : d'une carte, les quatre derniers chiffres suffisent.")
        return redirect("bureau:recherche")
    gardees = request.session.get(CLE, {})
    rang = str(max(map(int, gardees), default=0) + 1)
    request.session[CLE] = dict([*gardees.items(), (rang, saisie[:LONGUEUR])][-GARDEES:])
    return redirect(f"{reverse('bureau:recherche')}?r={rang}")


def _relire(request: HttpRequest) -> str:
    gardees: dict[str, str] = request.session.get(CLE, {})
    return gardees.get(request.GET.get("r", ""), "")


def _presenter(titre: str, lignes: list[Any]) -> dict[str, Any]:
    montrees = lignes[: lectures.AU_PLUS]
    homonymes = {o.numero for o in montrees if isinstance(o, Allocataire)}
    cafs = {o.caf_id for o in montrees if isinstance(o, Allocataire)}
    return {
        "titre": titre,
        "lignes": [_montrer(objet) for objet in montrees],
        "is_tronquee": len(lignes) > lectures.AU_PLUS,
        # Un numéro n'est unique qu'avec sa Caf (DOMAINE §0.1).
        "cafs": len(cafs) if len(homonymes) == 1 else 1,
    }


def _montrer(objet: Any) -> dict[str, Any]:
    """Une ligne : ce que c'est, où elle mène, à qui, de quelle Caf."""
    match objet:
        case Allocataire():
            ne = f", né(e) le {objet.date_naissance:%d/%m/%Y}" if objet.date_naissance else ""
            return _ligne(nommer(objet) + ne, get_page(objet), "radié" if objet.radie_le else "", objet)
        case Paiement():
            quand = f"{ecrire_euros(objet.montant)} le {dire_l_heure(objet.cree_le)}"
            texte = f"{objet.reference}, {quand} : {dire_ou_est_l_argent(objet)}"
            return _ligne(texte, _fiche("paiements_paiement", objet.pk), "", objet.demarche.allocataire)
        case Demarche():
            paiement = getattr(objet, "paiement", None)
            ou = _fiche("paiements_paiement", paiement.pk) if paiement else f"{get_page(objet.allocataire)}"
            return _ligne(f"{objet.reference}, {objet.get_etat_display()}", ou, "", objet.allocataire)
        case Dette():
            texte = f"{objet.reference}, {ecrire_euros(objet.solde)} : {objet.nom}"
            return _ligne(texte, _fiche("dettes_dette", objet.pk), objet.get_situation_display(), objet.allocataire)
        case TransactionPayzen():
            return _montrer_une_transaction(objet)
    raise TypeError(objet)


def _montrer_une_transaction(vue: TransactionPayzen) -> dict[str, Any]:
    if vue.paiement:
        texte = f"{vue.paiement.reference} : {dire_la_transaction(vue)}"
        return _ligne(texte, _fiche("paiements_paiement", vue.paiement.pk), "", vue.paiement.demarche.allocataire)
    anomalie = Anomalie.objects.filter(transaction=vue).order_by("pk").first()
    adresse = _fiche("paiements_anomalie", anomalie.pk) if anomalie else reverse("admin:paiements_anomalie_changelist")
    return _ligne(f"Référence inconnue {vue.reference} : {dire_la_transaction(vue)}", adresse, "", None)


def _fiche(nom: str, cle: int) -> str:
    return reverse(f"admin:{nom}_change", args=[cle])


def _ligne(texte: str, adresse: str, note: str, personne: Allocataire | None) -> dict[str, Any]:
    qui = nommer(personne) if personne and not texte.startswith(nommer(personne)) else ""
    return {"texte": texte, "adresse": adresse, "note": note, "qui": qui, "caf": personne.caf if personne else ""}
