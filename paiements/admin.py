"""Le bureau des agents : les paiements et les anomalies. On regarde ; ce que l'on peut faire est un bouton."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse

from comptes.admin import OfficeAdmin, ReadonlyMixin
from paiements import anomalies, controle, services
from paiements.models import Anomalie, EtapePaiement, Imputation, NotificationPayzen, Paiement, Ticket
from paiements.statuts import Geste, Statut


class MotifForm(forms.Form):
    """Aucun geste sans motif : il reste au journal."""

    motif = forms.CharField(label="Motif", max_length=200, widget=forms.TextInput(attrs={"size": 60}))


class JournalInline(ReadonlyMixin, admin.TabularInline):
    extra = 0
    show_change_link = False


class EtapeInline(JournalInline):
    model = EtapePaiement
    fields = readonly_fields = ["le", "geste", "de", "vers", "motif", "auteur"]
    ordering = ["pk"]


class NotificationInline(JournalInline):
    model = NotificationPayzen
    fields = readonly_fields = ["recue_le", "source", "cle", "sort", "motif"]
    ordering = ["pk"]


class ImputationInline(JournalInline):
    model = Imputation
    fields = readonly_fields = ["dette", "montant", "mouvement"]
    ordering = ["pk"]


class TicketInline(JournalInline):
    model = Ticket
    fields = readonly_fields = ["etat", "essais", "envoye_le", "prochain_essai_le", "dernier_motif"]


class AnomalieInline(JournalInline):
    model = Anomalie
    fields = readonly_fields = ["ouverte_le", "genre", "montant", "resolue_le", "resolution"]
    ordering = ["pk"]


@admin.register(Paiement)
class PaiementAdmin(OfficeAdmin):
    list_display = ["reference", "montant", "statut", "caf", "cree_le", "accepte_le"]
    list_filter = ["statut", "caf", "cree_le"]
    search_fields = ["reference", "demarche__reference", "demarche__allocataire__numero", "carte_fin", "uuid"]
    search_help_text = "Référence, numéro allocataire, quatre derniers chiffres de la carte, uuid."
    ordering = ["-cree_le"]
    list_select_related = ["caf"]
    inlines = [EtapeInline, NotificationInline, ImputationInline, TicketInline, AnomalieInline]
    change_form_template = "admin/geste.html"

    def get_urls(self) -> list[URLPattern]:
        gestes = [
            path("<int:pk>/interroger/", self.admin_site.admin_view(self.interroger), name="paiement_interroger"),
            path("<int:pk>/verifier/", self.admin_site.admin_view(self.verifier), name="paiement_verifier"),
        ]
        return gestes + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        paiement = self.get_object(request, object_id)
        gestes = _gestes_du_paiement(request, paiement) if paiement else []
        return super().change_view(request, object_id, form_url, {"gestes": gestes, **(extra_context or {})})

    def interroger(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Redemande à PayZen où en est ce paiement."""
        paiement = _exiger(self, request, pk, "verifier")
        avant = paiement.statut
        apres = controle.controler(pk)
        dit = "rien de neuf" if apres.statut == avant else f"le paiement est {apres.get_statut_display()}"
        messages.info(request, f"PayZen a été interrogé : {dit}.")
        return _retourner(apres)

    def verifier(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirme, au-dessus du seuil de la Caf, ce que la plateforme a déjà confirmé."""
        paiement = _exiger(self, request, pk, "verifier")
        motif = MotifForm(request.POST)
        if not motif.is_valid():
            messages.error(request, "Dites pourquoi : le motif reste au journal.")
            return _retourner(paiement)
        try:
            services.confirmer(paiement, motif=motif.cleaned_data["motif"], agent=request.user)
        except services.TransitionImpossible as impossible:
            messages.error(request, f"Ce geste n'est plus possible : {impossible}")
        else:
            messages.success(request, "Le paiement est vérifié ; il va être porté aux dettes.")
        return _retourner(paiement)


@admin.register(Anomalie)
class AnomalieAdmin(OfficeAdmin):
    list_display = ["genre", "montant", "caf", "paiement", "ouverte_le", "resolue_le"]
    list_filter = [("resolue_le", admin.EmptyFieldListFilter), "genre", "caf"]
    search_fields = ["paiement__reference", "cle"]
    ordering = ["resolue_le", "ouverte_le"]
    list_select_related = ["caf", "paiement"]
    change_form_template = "admin/geste.html"

    def get_urls(self) -> list[URLPattern]:
        clore = path("<int:pk>/clore/", self.admin_site.admin_view(self.clore), name="anomalie_clore")
        return [clore, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        anomalie = self.get_object(request, object_id)
        gestes = []
        if anomalie and anomalie.resolue_le is None and self.can(request, "traiter_anomalie"):
            adresse = reverse("admin:anomalie_clore", args=[anomalie.pk])
            gestes = [{"adresse": adresse, "texte": "Clore cette anomalie", "form": MotifForm()}]
        return super().change_view(request, object_id, form_url, {"gestes": gestes, **(extra_context or {})})

    def clore(self, request: HttpRequest, pk: int) -> HttpResponse:
        anomalie = _exiger(self, request, pk, "traiter_anomalie")
        motif = MotifForm(request.POST)
        if not motif.is_valid():
            messages.error(request, "Dites ce qui a été fait : le motif reste au dossier.")
            return _retourner(anomalie)
        try:
            anomalies.resoudre(
                anomalie, motif=motif.cleaned_data["motif"], agent=request.user, issue=Anomalie.Issue.ECARTEE
            )
        except anomalies.DejaResolue:
            messages.error(request, "Un autre agent vient de clore cette anomalie.")
        else:
            messages.success(request, "Anomalie close.")
        return _retourner(anomalie)


def _gestes_du_paiement(request: HttpRequest, paiement: Paiement) -> list[dict[str, object]]:
    if not OfficeAdmin.can(request, "verifier"):
        return []
    gestes: list[dict[str, object]] = [
        {"adresse": reverse("admin:paiement_interroger", args=[paiement.pk]), "texte": "Interroger PayZen"}
    ]
    if paiement.statut == Statut.ACCEPTE and paiement.confirme_le:
        adresse = reverse("admin:paiement_verifier", args=[paiement.pk])
        gestes.append({"adresse": adresse, "texte": Geste.VERIFIER.label.capitalize(), "form": MotifForm()})
    return gestes


def _exiger(bureau: OfficeAdmin, request: HttpRequest, pk: int, geste: str) -> object:
    """L'objet, parmi ceux de l'agent ; seulement par un bouton, et seulement si son rôle le permet."""
    objet = get_object_or_404(bureau.get_queryset(request), pk=pk)
    if request.method != "POST" or not bureau.can(request, geste):
        raise PermissionDenied
    return objet


def _retourner(objet: Paiement | Anomalie) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(f"admin:{objet._meta.label_lower.replace('.', '_')}_change", args=[objet.pk]))
