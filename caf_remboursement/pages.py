"""Les pages d'à côté : ce qui s'écrit une fois et se lit sans compte."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from caf_remboursement import exemples


@require_safe
def accueil(request: HttpRequest) -> HttpResponse:
    """La page d'arrivée ; qui est déjà connecté va droit chez lui."""
    if request.user.is_authenticated:
        return redirect("admin:index" if request.user.is_staff else "comptes:mon_compte")
    return render(request, "pages/accueil.html")


@require_safe
def composants(request: HttpRequest) -> HttpResponse:
    """Tous les composants, dans tous leurs états : la page que l'on ouvre au lecteur d'écran et à 200 %."""
    return render(request, "pages/composants.html", exemples.build_contexte(request.GET.get("page", "2")))


accessibilite = TemplateView.as_view(template_name="pages/accessibilite.html")
donnees_personnelles = TemplateView.as_view(template_name="pages/donnees_personnelles.html")
mentions_legales = TemplateView.as_view(template_name="pages/mentions_legales.html")
aide = TemplateView.as_view(template_name="pages/aide.html")
plan = TemplateView.as_view(template_name="pages/plan.html")
