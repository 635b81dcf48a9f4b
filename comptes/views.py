"""Entrer la première fois, et la page d'accueil de l'allocataire."""

from allauth.account.utils import perform_login
from allauth.decorators import rate_limit
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from comptes import activation
from comptes.acces import RequeteAllocataire, allocataire_requis, get_dossier
from comptes.forms import PremiereConnexionForm

CODE_REFUSE = (
    "L’identifiant ou le code est faux, ou ce code ne sert plus. "
    "Au bout de cinq essais, il faut en demander un nouveau à votre Caf"
)
DEMARCHES_MONTREES = 3


@login_not_required
@sensitive_post_parameters("code", "mot_de_passe", "confirmation")
@require_http_methods(["GET", "POST"])
@rate_limit(action="premiere_connexion")  # type: ignore[untyped-decorator]  # allauth n'a pas de types
def premiere_connexion(request: HttpRequest) -> HttpResponse:
    """Échange le code reçu par courrier contre un mot de passe choisi, puis connecte."""
    if request.user.is_authenticated:
        return redirect("pages:accueil")
    form = PremiereConnexionForm(request.POST or None)
    if form.is_valid():
        saisie = form.cleaned_data
        utilisateur = activation.activer(saisie["identifiant"], saisie["code"], saisie["mot_de_passe"])
        if utilisateur:
            connecte: HttpResponse = perform_login(request, utilisateur)
            return connecte
        form.add_error(None, CODE_REFUSE)
    return render(request, "comptes/premiere_connexion.html", {"form": form})


@require_safe
@allocataire_requis
def mon_compte(request: RequeteAllocataire) -> HttpResponse:
    """Où j'en suis : ce qu'il reste à rembourser, le paiement en route, les dernières démarches."""
    allocataire = get_dossier(request)
    demarches = allocataire.demarches.visibles_par(request.user).plus_recentes_d_abord()
    contexte = {
        "allocataire": allocataire,
        "caf": allocataire.caf,
        "dettes": allocataire.dettes.payables().aggregate(reste=Sum("solde", default=0), nombre=Count("pk")),
        "demarches": demarches.demandees()[:DEMARCHES_MONTREES],
    }
    return render(request, "comptes/mon_compte.html", contexte)
