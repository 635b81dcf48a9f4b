"""Les pages d'à côté : ce qui s'écrit une fois et se lit sans compte."""

import sys
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.defaults import bad_request
from django.views.generic import TemplateView
from django.views.i18n import set_language

from comptes import journal

# La norme demande moins d'un an : qui lit une copie plus vieille vient la relire.
SECURITE_VALABLE = timedelta(days=180)


@login_not_required
@require_safe
def accueil(request: HttpRequest) -> HttpResponse:
    """La page d'arrivée ; qui est déjà connecté va droit chez lui."""
    if request.user.is_authenticated:
        return redirect("admin:index" if request.user.is_staff else "comptes:mon_compte")
    return render(request, "pages/accueil.html")


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """L'icône, à l'adresse où les navigateurs la cherchent sans lire la page."""
    return redirect(static("img/favicon.ico"))


langue = login_not_required(require_POST(set_language))

robots = login_not_required(TemplateView.as_view(template_name="robots.txt", content_type="text/plain"))


@login_not_required
@require_safe
def securite(request: HttpRequest) -> HttpResponse:
    """À qui signaler une faille (RFC 9116) ; sans contact réglé, la page n'existe pas."""
    if not settings.CONTACT_SECURITE:
        raise Http404
    lignes = {
        "Contact": settings.CONTACT_SECURITE,
        "Expires": (timezone.now() + SECURITE_VALABLE).isoformat(timespec="seconds"),
        "Preferred-Languages": "fr, en",
        "Canonical": settings.ADRESSE_PUBLIQUE + reverse("pages:securite"),
    }
    texte = "".join(f"{nom}: {valeur}\n" for nom, valeur in lignes.items())
    return HttpResponse(texte, content_type="text/plain; charset=utf-8")


def trop_de_demandes(request: HttpRequest) -> HttpResponse:
    """Une borne est atteinte : la page qui dit d'attendre, et une ligne au journal de sécurité."""
    journal.consigner_un_blocage()
    return render(request, "429.html", status=429)


def panne(request: HttpRequest) -> HttpResponse:
    """La page de panne, qui ne lit rien : 503 quand la base ne répond pas, car il suffira de réessayer ; 500 sinon."""
    is_passagere = _vient_de_la_base(sys.exc_info()[1])
    page = HttpResponse(render_to_string("500.html"), status=503 if is_passagere else 500)
    if is_passagere:
        page["Retry-After"] = "30"
    return page


def demande_refusee(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 ; mais une session que la base n'a pas pu écrire, dont Django fait une demande refusée, est une panne."""
    return panne(request) if _vient_de_la_base(exception) else bad_request(request, exception)


def _vient_de_la_base(echec: BaseException | None) -> bool:
    """Vrai si la base n'a pas répondu, même si une autre erreur a couvert la sienne."""
    while echec is not None and not isinstance(echec, (OperationalError, InterfaceError)):
        echec = echec.__cause__ or echec.__context__
    return echec is not None


def publier(nom: str) -> Callable[..., HttpResponseBase]:
    """La page de ce nom, la même pour tous."""
    return login_not_required(TemplateView.as_view(template_name=f"pages/{nom}.html"))


accessibilite = publier("accessibilite")
donnees_personnelles = publier("donnees_personnelles")
mentions_legales = publier("mentions_legales")
aide = publier("aide")
plan = publier("plan")
