"""« Vérifier un papier » : un agent donne la référence et le code, et lit ce que le papier doit dire."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator

from paiements.documents.papiers import PapierInconnu, verifier
from paiements.models import Paiement
from socle.bornes import borner
from socle.bureau import consultation, limiter
from socle.carte import SansCarteMixin
from socle.gestes import GestesAdmin


class CopieField(SansCarteMixin, forms.CharField):
    """Ce qu'un agent recopie d'un papier."""

    sans_carte = "Ce n’est pas un numéro de carte qu’il faut recopier ici"


class PapierForm(forms.Form):
    reference = CopieField(label="Référence", max_length=40)
    code = CopieField(label="Code de vérification", max_length=20)


class PapiersAdmin(GestesAdmin):
    """Des fiches, et à côté d'elles la page « Vérifier un papier »."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.verifier_un_papier)
        return [path("verifier-un-papier/", page, name="verifier_un_papier"), *super().get_urls()]

    @method_decorator(borner("liste"))
    def verifier_un_papier(self, request: HttpRequest) -> HttpResponse:
        """Rien n'est écrit, que le journal des consultations quand le papier est de nous."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form, papier, refus = PapierForm(request.POST or None), None, ""
        if form.is_valid():
            try:
                papier = verifier(limiter(Paiement.objects.all(), request), **form.cleaned_data)
            except PapierInconnu as inconnu:
                refus = str(inconnu)
            else:
                consultation.send(Paiement, request=request, objet=papier.paiement)
        page = {"title": "Vérifier un papier", "form": form, "papier": papier, "refus": refus}
        return TemplateResponse(request, "admin/papier.html", {**self.admin_site.each_context(request), **page})
