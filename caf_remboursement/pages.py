"""Les pages d'à côté : ce qui s'écrit une fois et se lit sans compte."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView


@require_safe
def accueil(request: HttpRequest) -> HttpResponse:
    """La page d'arrivée ; qui est déjà connecté va droit chez lui."""
    if request.user.is_authenticated:
        return redirect("admin:index" if request.user.is_staff else "comptes:mon_compte")
    return render(request, "pages/accueil.html")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """L'icône, à l'adresse où les navigateurs la cherchent sans lire la page."""
    return redirect(static("img/favicon.ico"))


robots = TemplateView.as_view(template_name="robots.txt", content_type="text/plain")
accessibilite = TemplateView.as_view(template_name="pages/accessibilite.html")
donnees_personnelles = TemplateView.as_view(template_name="pages/donnees_personnelles.html")
mentions_legales = TemplateView.as_view(template_name="pages/mentions_legales.html")
aide = TemplateView.as_view(template_name="pages/aide.html")
plan = TemplateView.as_view(template_name="pages/plan.html")
