"""La galerie des composants, dans tous leurs états : la démonstration la montre, la production ne l'a pas."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from caf_remboursement.urls import handler400, handler429, handler500
from caf_remboursement.urls import urlpatterns as du_service
from outils import exemples

# Les pages de panne sont à la racine des adresses : sans elles, la démonstration montrerait celles de Django.
__all__ = ["handler400", "handler429", "handler500", "urlpatterns"]


@require_safe
@login_not_required
def composants(request: HttpRequest) -> HttpResponse:
    """La page que l'on ouvre au lecteur d'écran et à 200 %."""
    return render(request, "galerie/composants.html", exemples.build_contexte(request.GET.get("page", "2")))


urlpatterns = [*du_service, path("composants/", composants, name="composants")]
