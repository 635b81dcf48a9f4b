"""Les pages d'à côté : ce qui s'écrit une fois et se lit sans compte."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from caf_remboursement import exemples
from comptes import journal


@login_not_required
@require_safe
def accueil(request: HttpRequest) -> HttpResponse:
    """La page d'arrivée ; qui est déjà connecté va droit chez lui."""
    if request.user.is_authenticated:
        return redirect("admin:index" if request.user.is_staff else "comptes:mon_compte")
    return render(request, "pages/accueil.html")


@login_not_required
@require_safe
def composants(request: HttpRequest) -> HttpResponse:
    """Tous les composants, dans tous leurs états : la page que l'on ouvre au lecteur d'écran et à 200 %."""
    return render(request, "pages/composants.html", exemples.build_contexte(request.GET.get("page", "2")))


def trop_de_demandes(request: HttpRequest) -> HttpResponse:
    """Une borne est atteinte : la page qui dit d'attendre, et une ligne au journal de sécurité."""
    journal.consigner_un_blocage()
    return render(request, "429.html", status=429)


def publier(nom: str) -> Callable[..., HttpResponseBase]:
    """La page de ce nom, la même pour tous."""
    return login_not_required(TemplateView.as_view(template_name=f"pages/{nom}.html"))


accessibilite = publier("accessibilite")
donnees_personnelles = publier("donnees_personnelles")
mentions_legales = publier("mentions_legales")
aide = publier("aide")
plan = publier("plan")
