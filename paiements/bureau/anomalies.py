"""La file des agents : ce qui attend, du plus ancien au plus récent, et comment en sortir."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from paiements.bureau.conseils import conseiller
from paiements.bureau.en_jeu import avec_en_jeu, ecrire_en_jeu
from paiements.bureau.faits import dire_ce_qui_s_est_passe
from paiements.bureau.gestes import BOUTONS
from paiements.bureau.qui import lier, lier_le_paiement, presenter, trouver
from paiements.models import Anomalie, EtapeAnomalie
from socle.bureau import GestesAdmin, JournalInline

# Ce qui attend d'abord, puis ce qui est mis de côté ; du plus ancien au plus récent.
ORDRE_DE_LA_FILE = (
    Case(
        When(etat=Anomalie.Etat.OUVERTE, then=Value(0)),
        When(etat=Anomalie.Etat.ECARTEE, then=Value(1)),
        default=Value(2),
    ),
    "ouverte_le",
    "pk",
)


class EtapeInline(JournalInline):
    model = EtapeAnomalie
    fields = readonly_fields = ("le", "de", "vers", "motif", "auteur")


@admin.register(Anomalie)
class AnomalieAdmin(GestesAdmin):
    sans_caf = True
    change_form_template = "admin/anomalie.html"
    list_display = ["genre", "argent_en_jeu", "age", "a_qui", "conseil", "caf", "etat"]
    list_filter = ["etat", "genre", ("caf", admin.RelatedOnlyFieldListFilter)]
    search_fields = [
        "paiement__reference",
        "paiement__demarche__reference",
        "transaction__uuid",
        "transaction__reference",
    ]
    search_help_text = "Référence du paiement ou de la démarche, identifiant ou référence dite par PayZen."
    fields = readonly_fields = ("genre", "etat", "caf", "lien", "dette", "restitution", "ouverte_le")
    inlines = [EtapeInline]
    boutons = BOUTONS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Anomalie]:
        anomalies = (
            super()
            .get_queryset(request)
            .select_related(
                "caf",
                "restitution",
                "transaction__compte",
                "paiement__demarche__allocataire__caf",
                "paiement__debit",
                "paiement__solde",
                "dette__allocataire__caf",
            )
        )
        return avec_en_jeu(anomalies)

    def get_ordering(self, request: HttpRequest) -> Any:
        return ORDRE_DE_LA_FILE

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Les faits et le conseil se lisent avant les boutons."""
        anomalie = self.get_object(request, object_id)
        lue = {"faits": dire_ce_qui_s_est_passe(anomalie), "conseil": conseiller(anomalie)} if anomalie else {}
        argent = {"en_jeu": self.argent_en_jeu(anomalie)} if anomalie else {}
        contexte = {**presenter(anomalie), **lue, **argent, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, contexte)

    @admin.display(description="allocataire")
    def a_qui(self, anomalie: Anomalie) -> SafeString | str:
        return lier(trouver(anomalie))

    @admin.display(description="paiement")
    def lien(self, anomalie: Anomalie) -> SafeString | str:
        return lier_le_paiement(anomalie.paiement)

    @admin.display(description="argent en jeu", ordering="en_jeu")
    def argent_en_jeu(self, anomalie: Any) -> str:
        return ecrire_en_jeu(anomalie, anomalie.en_jeu)

    @admin.display(description="depuis", ordering="ouverte_le")
    def age(self, anomalie: Anomalie) -> str:
        return timesince(anomalie.ouverte_le) if anomalie.is_a_trancher else "-"

    @admin.display(description="ce qu'on propose")
    def conseil(self, anomalie: Anomalie) -> str:
        return conseiller(anomalie)
