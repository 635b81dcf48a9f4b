"""Entrer la première fois, et la page d'accueil de l'allocataire."""

from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from allauth.decorators import rate_limit
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from comptes import activation, courriels, essais, facteurs, journal
from comptes.acces import RequeteAllocataire, allocataire_requis, get_dossier
from comptes.allauth import TROP_D_ESSAIS
from comptes.forms import PremiereConnexionForm
from comptes.models import Utilisateur

CODE_REFUSE = gettext_lazy(
    "L’identifiant ou le code est faux, ou ce code ne sert plus. Si vous avez bien recopié la"
    " dernière lettre reçue, demandez un nouveau code à votre Caf"
)


@login_not_required
@sensitive_post_parameters("code", "mot_de_passe", "confirmation")
@require_http_methods(["GET", "POST"])
@rate_limit(action="premiere_connexion")  # type: ignore[untyped-decorator]  # allauth n'a pas de types
def premiere_connexion(request: HttpRequest) -> HttpResponse:
    """Échange le code reçu par courrier contre un mot de passe choisi, puis connecte."""
    if request.user.is_authenticated:
        return redirect("pages:accueil")
    form = PremiereConnexionForm(request.POST or None)
    utilisateur = _echanger(request, form) if form.is_valid() else None
    if utilisateur:
        courriels.prevenir(utilisateur, courriels.MOT_DE_PASSE_PAR_CODE, get_adapter().get_client_ip(request))
        facteurs.noter_le_code(request, utilisateur)
        connecte: HttpResponse = perform_login(request, utilisateur)
        return connecte
    return render(request, "comptes/premiere_connexion.html", {"form": form})


def _echanger(request: HttpRequest, form: PremiereConnexionForm) -> Utilisateur | None:
    """Échange le code contre le mot de passe choisi ; sinon rend None, et le formulaire dit pourquoi."""
    saisie = form.cleaned_data
    if not essais.compter_un_code(request, saisie["identifiant"]):
        journal.consigner_un_blocage(journal.trouver(saisie["identifiant"]))
        form.add_error(None, TROP_D_ESSAIS)
        return None
    try:
        utilisateur = activation.activer(saisie["identifiant"], saisie["code"], saisie["mot_de_passe"])
    except ValidationError as faible:
        essais.oublier_les_codes(request, saisie["identifiant"])
        form.add_error("mot_de_passe", faible)
        return None
    if utilisateur is None:
        journal.consigner(journal.Genre.CODE_FAUX, compte=journal.trouver(saisie["identifiant"]))
        form.add_error(None, CODE_REFUSE)
    return utilisateur


@login_not_required
@require_safe
def sans_facteur(request: HttpRequest) -> HttpResponse:
    """Ce que lit un agent dont le mot de passe ne suffit pas : il lui faut un code de l'exploitant."""
    return render(request, "comptes/sans_facteur.html")


@require_http_methods(["GET", "HEAD", "POST"])
def prolonger(request: HttpRequest) -> HttpResponse:
    """« Rester connecté » : la requête même est l'activité qui prolonge la session."""
    # On y revient après s'être reconnecté : il n'y a là rien à lire.
    return HttpResponse(status=204) if request.method == "POST" else redirect("pages:accueil")


@require_safe
@allocataire_requis
def mon_compte(request: RequeteAllocataire) -> HttpResponse:
    """Où j'en suis : ce qu'il reste à rembourser, le paiement en route, les dernières démarches."""
    allocataire = get_dossier(request)
    return render(request, "comptes/mon_compte.html", {"allocataire": allocataire, "caf": allocataire.caf})
