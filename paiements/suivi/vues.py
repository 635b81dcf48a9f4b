"""« Mes démarches » : la liste, le détail, recommencer (PARCOURS §6)."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from comptes.acces import RequeteAllocataire, allocataire_requis
from demarches import cartes, lignes, services
from demarches.etats import REPARTIS
from demarches.models import Demarche
from demarches.montants import ZERO
from demarches.parcours import get_la_mienne, page_du_parcours, refuser, reprendre
from paiements.documents.renvoi import RenvoiForm, TropDeRenvois, compter_les_renvois, renvoyer
from paiements.models import Paiement
from paiements.statuts import Statut
from paiements.suivi.frise import raconter
from paiements.suivi.progres import dire_ou_en_est
from paiements.verification import reponse
from socle import frappe
from socle.bornes import borner

PAR_PAGE = 20
PLATEFORME_MUETTE = gettext_lazy(
    "PayZen, qui tient la page de paiement, ne répond pas en ce moment. Rien n’est changé, et rien"
    " n’est perdu\u00a0: réessayez dans quelques minutes."
)
PAS_ENCORE = gettext_lazy(
    "PayZen ne nous annonce encore aucun paiement terminé pour cette demande. Si vous venez de"
    " payer, cela peut prendre quelques minutes\u00a0: ne payez pas une deuxième fois."
)
PAS_LIBERE = gettext_lazy(
    "La banque a reçu quelque chose pour cette demande, et n’a pas fini\u00a0: nous ne pouvons pas"
    " encore libérer vos montants. Revenez dans quelques minutes."
)
DEJA_PAYE = gettext_lazy("Bonne nouvelle\u00a0: votre banque a déjà accepté ce paiement. Il n’y a rien à recommencer.")


@require_safe
@allocataire_requis
def liste(request: RequeteAllocataire) -> HttpResponse:
    demarches = (
        Demarche.objects.visibles_par(request.user).demandees().select_related("paiement").plus_recentes_d_abord()
    )
    page = Paginator(demarches, PAR_PAGE).get_page(request.GET.get("page"))
    return render(request, "suivi/liste.html", {"page": page, "cartes": cartes.dresser(page)})


@require_safe
@allocataire_requis
def detail(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Où en est une démarche, ce qu'elle a changé, et ce qu'il reste à faire."""
    demarche = get_object_or_404(
        Demarche.objects.visibles_par(request.user)
        .select_related(
            "paiement__ticket",
            "paiement__debit__compte",
            "paiement__solde",
            "paiement__caf",
            "recommence__paiement",
            "recommencee_par__paiement",
        )
        .prefetch_related("paiement__etapes"),
        reference=reference,
    )
    paiement = getattr(demarche, "paiement", None)
    contexte: dict[str, object] = {
        "demarche": demarche,
        "titre": cartes.dire_le_titre(demarche),
        "paiement": paiement,
        "is_a_moi": demarche.auteur_id == request.user.pk,
    }
    if paiement is not None:
        contexte |= _decrire(paiement)
    if not contexte.get("imputations"):
        visees = demarche.lignes.select_related("dette").order_by("dette__notifiee_le", "pk")
        contexte["lignes"] = lignes.dresser((ligne.dette, ligne.montant, ZERO) for ligne in visees)
    return render(request, "suivi/detail.html", contexte)


def _decrire(paiement: Paiement) -> dict[str, object]:
    """Le récit d'un paiement, et ce qu'il a changé dette par dette ; reprises en montants positifs, en euros."""
    imputations = list(paiement.get_imputations().select_related("dette", "mouvement").order_by("pk"))
    is_reparti = paiement.demarche.etat in REPARTIS
    return {
        "progres": dire_ou_en_est(paiement),
        "evenements": raconter(paiement, paiement.etapes.all()),
        "imputations": lignes.dresser(
            ((faite.dette, faite.montant, faite.mouvement.solde_apres) for faite in imputations if faite.montant > 0),
            None if is_reparti else lignes.dire_il_restait(),
        ),
        "reprises": [imputation for imputation in imputations if imputation.montant < 0],
        "impute": sum(imputation.montant for imputation in imputations if imputation.montant > 0),
        "is_reparti": is_reparti,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@allocataire_requis
@borner("repondre")
def repondre(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """« Avez-vous terminé le paiement ? » : PayZen est interrogé aussitôt, et la page d'arrivée dit sa réponse."""
    if request.method != "POST":
        # On y revient après s'être reconnecté : la question est sur la démarche.
        return redirect("suivi:detail", reference)
    paiement = get_object_or_404(
        Paiement.objects.select_related("caf"), demarche__reference=reference, demarche__auteur=request.user
    )
    paye = request.POST.get("paye") != "non"
    try:
        apres = reponse.repondre(paiement, paye=paye)
    except reponse.PlateformeMuette:
        messages.warning(request, PLATEFORME_MUETTE)
        return redirect("suivi:detail", reference)
    if apres.statut == Statut.EN_ATTENTE:
        messages.info(request, PAS_ENCORE if paye else PAS_LIBERE)
    elif apres.is_encaisse and not paye:
        messages.warning(request, DEJA_PAYE)
    return redirect("paiements:retour", apres.reference)


@require_http_methods(["GET", "HEAD", "POST"])
@allocataire_requis
def recommencer(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Ouvre une nouvelle démarche déjà remplie, et mène où la relire."""
    ancienne = get_la_mienne(request, reference)
    if request.method != "POST":
        # On y revient après s'être reconnecté : le bouton est sur la démarche.
        return redirect("suivi:detail", reference)
    if ancienne.suite is not None:
        return _mener(ancienne.suite)
    if refuser(request, ancienne.allocataire, services.get_dettes(ancienne)):
        # La première étape dit pourquoi l'on ne peut pas rembourser, à une adresse où l'on peut revenir.
        return redirect("demarches:commencer")
    try:
        nouvelle = services.recommencer(ancienne)
    except services.RecommencementImpossible:
        return redirect("suivi:detail", reference)
    if nouvelle.montant < ancienne.montant:
        messages.warning(
            request,
            gettext(
                "Une partie de ces montants a été remboursée ou engagée depuis\u00a0: nous les avons baissés."
                " Relisez-les."
            ),
        )
    return _mener(nouvelle)


def _mener(suite: Demarche) -> HttpResponse:
    """À l'étape où la relire ; à son suivi, si elle est déjà partie."""
    return reprendre(suite) if suite.is_modifiable else redirect("suivi:detail", suite.reference)


@page_du_parcours
def ticket(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Recevoir le ticket par courriel, à une adresse corrigée ou donnée après coup."""
    paiements = Paiement.objects.encaisses().select_related("demarche", "ticket")
    paiement = get_object_or_404(paiements, demarche__reference=reference, demarche__auteur=request.user)
    if request.method == "POST":
        return _renvoyer(request, paiement)
    attente = frappe.lire(request)
    form = RenvoiForm(attente["saisie"] if attente else None, initial={"courriel": paiement.demarche.courriel})
    contexte = {
        "demarche": paiement.demarche,
        "paiement": paiement,
        "form": form,
        "reste": compter_les_renvois(paiement),
    }
    return render(request, "suivi/ticket.html", contexte)


def _renvoyer(request: RequeteAllocataire, paiement: Paiement) -> HttpResponse:
    form = RenvoiForm(request.POST)
    if not form.is_valid():
        frappe.garder(request, request.path, frappe.lire_envoi(request))
        return redirect(request.path)
    frappe.oublier(request, request.path)
    try:
        renvoyer(paiement, form.cleaned_data["courriel"])
    except TropDeRenvois:
        return redirect(request.path)
    messages.success(request, gettext("Votre ticket part à cette adresse. Il arrive en général dans la minute."))
    return redirect("suivi:detail", paiement.demarche.reference)
