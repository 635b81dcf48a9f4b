"""La fiche imprimable d'un paiement : ce qui s'est passé, daté, sans rien de ce qui reste à faire."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from paiements.bureau.recit import raconter_les_faits
from paiements.models import Paiement
from socle.bornes import borner
from socle.bureau import can, consultation, limiter


@require_safe
@borner("liste")
def imprimer(request: HttpRequest, pk: int) -> HttpResponse:
    """Une page à imprimer, pour un dossier ou un tribunal ; sa lecture reste au journal."""
    if not can(request, "regarder"):
        raise PermissionDenied
    paiements = Paiement.objects.select_related("demarche__allocataire__caf", "caf", "debit__compte", "solde")
    paiement = limiter(paiements, request).filter(pk=pk).first()
    if paiement is None:
        raise Http404
    consultation.send(Paiement, request=request, objet=paiement)
    essentiel, evenements = raconter_les_faits(paiement)
    contexte = {
        "paiement": paiement,
        "nom": paiement.demarche.allocataire.nom_complet,
        "essentiel": essentiel,
        "evenements": evenements,
        "par": str(request.user),
        "le": timezone.now(),
    }
    return TemplateResponse(request, "admin/imprimer.html", contexte)
