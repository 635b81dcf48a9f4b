"""Les Caf de l'agent : ouvrir et suspendre le service, régler les seuils, chaque fois avec sa raison."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format

from comptes import services
from comptes.models import Caf, Utilisateur
from demarches.champs import MontantField
from socle.carte import MotifField
from socle.euros import ecrire_euros
from socle.gestes import Bouton, GestesAdmin, MotifForm

AU_PLUS = MaxValueValidator(Decimal("9999999.99"), "au plus 9 999 999,99 €")


class SuspensionForm(MotifForm):
    """Ce que les allocataires liront pendant la suspension, et pourquoi on la décide."""

    message = MotifField(
        label="Ce que liront les allocataires", max_length=500, widget=forms.Textarea(attrs={"rows": 3, "cols": 30})
    )
    retour_prevu_le = forms.DateField(
        label="Retour prévu le", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class SeuilsForm(MotifForm):
    """Les montants à partir desquels il faut un agent de plus ; vide : jamais."""

    seuil_controle = MontantField(
        label="Confirmer un paiement à partir de (vide : jamais)", required=False, validators=[AU_PLUS]
    )
    seuil_mise_de_cote = MontantField(
        label="Mettre de côté à deux à partir de (vide : jamais)", required=False, validators=[AU_PLUS]
    )
    field_order = ("seuil_controle", "seuil_mise_de_cote", "motif")

    def __init__(self, *args: Any, objet: Caf, **kwargs: Any) -> None:
        seuils = {"seuil_controle": objet.seuil_controle, "seuil_mise_de_cote": objet.seuil_mise_de_cote}
        super().__init__(*args, objet=objet, initial=seuils | kwargs.pop("initial", {}), **kwargs)


def regler_les_seuils(caf: Caf, donnees: dict[str, Any], auteur: Utilisateur) -> str:
    services.regler_les_seuils(caf, donnees["seuil_controle"], donnees["seuil_mise_de_cote"], auteur)
    return "Les seuils sont réglés ; ils valent pour ce qui vient."


def suspendre(caf: Caf, donnees: dict[str, Any], auteur: Utilisateur) -> str:
    services.suspendre(caf, donnees["message"], donnees["retour_prevu_le"], auteur)
    return "Le service est suspendu."


def rouvrir(caf: Caf, _donnees: dict[str, Any], auteur: Utilisateur) -> str:
    services.rouvrir(caf, auteur)
    return "Le service est rouvert."


@admin.register(Caf)
class CafAdmin(GestesAdmin):
    """L'opérateur règle boutique, seuil de contrôle et délai annoncé ; le reste vient du fichier, ou d'un bouton."""

    chemin_caf = "pk"
    list_display = ["code", "nom", "departement", "boutique", "seuil", "seuil_a_deux", "ouverte"]
    list_filter = ["ouverte"]
    search_fields = ["=code", "nom"]
    ordering = ["code"]
    etat_du_service = ("ouverte", "message_suspension", "retour_prevu_le")
    readonly_fields = ("code", "nom", "departement", *etat_du_service, "seuil", "seuil_a_deux")
    boutons = [
        Bouton(
            "suspendre",
            "Suspendre le service",
            "suspendre_service",
            lambda caf: caf.ouverte,
            suspendre,
            refus=(services.MessageAbsent,),
            form=SuspensionForm,
        ),
        Bouton("rouvrir", "Rouvrir le service", "suspendre_service", lambda caf: not caf.ouverte, rouvrir),
        Bouton("seuils", "Régler les seuils", "regler_seuils", lambda _caf: True, regler_les_seuils, form=SeuilsForm),
    ]

    def has_change_permission(self, request: HttpRequest, *_: object, **__: object) -> bool:
        return request.user.is_superuser

    def get_fields(self, request: HttpRequest, obj: Caf | None = None) -> Any:
        """L'opérateur règle des montants ; un agent les lit."""
        seuils = ("seuil_controle", "seuil_mise_de_cote") if request.user.is_superuser else ("seuil", "seuil_a_deux")
        return ("code", "nom", "departement", "boutique", *seuils, "delai_mise_a_jour", *self.etat_du_service)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """L'état du service se lit avant les boutons qui le changent."""
        faits = {"faits": list(self.dire(self.get_object(request, object_id)))}
        return super().change_view(request, object_id, form_url, {**faits, **(extra_context or {})})

    def dire(self, caf: Caf) -> Iterator[str]:
        """Ce qu'en voient les allocataires, et à partir de quels montants il faut un agent de plus."""
        retour = f" ; retour prévu le {date_format(caf.retour_prevu_le, 'd/m/Y')}" if caf.retour_prevu_le else ""
        yield "Service ouvert." if caf.ouverte else f"Service suspendu : « {caf.message_suspension} »{retour}."
        yield f"Paiement à confirmer dès : {self.seuil(caf)} ; mise de côté à deux dès : {self.seuil_a_deux(caf)}."

    @admin.display(description="à confirmer dès")
    def seuil(self, caf: Caf) -> str:
        return "jamais" if caf.seuil_controle is None else ecrire_euros(caf.seuil_controle)

    @admin.display(description="mettre de côté à deux dès")
    def seuil_a_deux(self, caf: Caf) -> str:
        return "jamais" if caf.seuil_mise_de_cote is None else ecrire_euros(caf.seuil_mise_de_cote)
