"""« Mes démarches » : la liste, le détail, recommencer (PARCOURS §6)."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from comptes.acces import RequeteAllocataire, allocataire_requis
from demarches import services
from demarches.etats import REPARTIS
from demarches.models import Demarche
from demarches.parcours import get_la_mienne, refuser, reprendre
from paiements.models import Paiement
from paiements.suivi.frise import raconter
from paiements.suivi.progres import dire_ou_en_est

PAR_PAGE = 20


@require_safe
@allocataire_requis
def liste(request: RequeteAllocataire) -> HttpResponse:
    demarches = (
        Demarche.objects.visibles_par(request.user).demandees().select_related("paiement").plus_recentes_d_abord()
    )
    page = Paginator(demarches, PAR_PAGE).get_page(request.GET.get("page"))
    return render(request, "suivi/liste.html", {"page": page})


@require_safe
@allocataire_requis
def detail(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Où en est une démarche, ce qu'elle a changé, et ce qu'il reste à faire."""
    demarche = get_object_or_404(
        Demarche.objects.visibles_par(request.user).select_related(
            "paiement__ticket", "paiement__debit__compte", "paiement__solde", "paiement__caf"
        ),
        reference=reference,
    )
    paiement = getattr(demarche, "paiement", None)
    contexte: dict[str, object] = {
        "demarche": demarche,
        "paiement": paiement,
        "is_a_moi": demarche.auteur_id == request.user.pk,
        "lignes": demarche.lignes.select_related("dette").order_by("dette__notifiee_le", "pk"),
    }
    if paiement is not None:
        contexte |= _decrire(paiement)
    return render(request, "suivi/detail.html", contexte)


def _decrire(paiement: Paiement) -> dict[str, object]:
    """Le récit d'un paiement, et ce qu'il a changé dette par dette ; reprises en montants positifs, en euros."""
    imputations = list(paiement.get_imputations().select_related("dette", "mouvement").order_by("pk"))
    is_reparti = paiement.demarche.etat in REPARTIS
    return {
        "progres": dire_ou_en_est(paiement),
        "evenements": raconter(paiement, paiement.etapes.order_by("le", "pk")),
        "imputations": [imputation for imputation in imputations if imputation.montant > 0],
        "reprises": [imputation for imputation in imputations if imputation.montant < 0],
        "impute": sum(imputation.montant for imputation in imputations if imputation.montant > 0),
        "is_reparti": is_reparti,
    }


@require_POST
@allocataire_requis
def recommencer(request: RequeteAllocataire, reference: str) -> HttpResponse:
    """Ouvre une nouvelle démarche déjà remplie, et mène où la relire."""
    ancienne = get_la_mienne(request, reference)
    if refus := refuser(request, ancienne.allocataire, services.get_dettes(ancienne)):
        return refus
    try:
        nouvelle = services.recommencer(ancienne)
    except services.RecommencementImpossible:
        return redirect("suivi:detail", reference)
    if nouvelle.montant < ancienne.montant:
        messages.warning(
            request,
            "Une partie de ces montants a été remboursée ou engagée depuis : nous les avons baissés. Relisez-les.",
        )
    return reprendre(nouvelle)
