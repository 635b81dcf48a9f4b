"""La file des agents : ce qui attend, du plus ancien au plus récent, et comment en sortir."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Case, Prefetch, QuerySet, Value, When
from django.db.models.functions import Abs
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from dettes.models import Dette
from paiements.bureau.conseils import conseiller
from paiements.bureau.faits import dire_ce_qui_s_est_passe, ecrire_en_jeu
from paiements.bureau.gestes import BOUTONS
from paiements.bureau.possibles import is_d_argent, is_libre
from paiements.bureau.qui import lier, lier_le_paiement, presenter, trouver
from paiements.bureau.recherche import ChercheAdmin
from paiements.file.en_jeu import avec_en_jeu, sommer_le_tenu
from paiements.models import Anomalie, EtapeAnomalie, Paiement, TransactionPayzen
from socle.bureau import JournalInline, get_codes
from socle.euros import ecrire_euros
from socle.gestes import GestesAdmin
from socle.liste import CafFilter

PENDANT_UNE_RESTITUTION = (
    "Une restitution de ce paiement est en cours : la faire refuser, arrêter son ordre, ou attendre sa fin. Puis :"
)
# Ce qui attend d'abord, puis ce qui est mis de côté ; la plus grosse somme en jeu d'abord, puis la plus ancienne.
ORDRE_DE_LA_FILE = (
    Case(
        When(etat=Anomalie.Etat.OUVERTE, then=Value(0)),
        When(etat=Anomalie.Etat.ECARTEE, then=Value(1)),
        default=Value(2),
    ),
    Abs("en_jeu").desc(nulls_last=True),
    "ouverte_le",
    "pk",
)


class EtapeInline(JournalInline):
    model = EtapeAnomalie
    fields = readonly_fields = ("le", "de", "vers", "motif", "auteur")


def _lister_les_paiements(anomalie: Anomalie) -> list[SafeString | str]:
    """Ceux qui ont payé la dette que la Caf mène sous zéro : c'est d'eux qu'une part se rend."""
    if anomalie.dette is None or anomalie.paiement is not None:
        return []
    ont_paye = Paiement.objects.filter(imputations__dette=anomalie.dette).distinct().order_by("-cree_le")
    return [lier_le_paiement(paiement) for paiement in ont_paye[:10]]


class ListeDAnomalies(ChangeList):
    """Ce qui accompagne une anomalie se lit après le tri : joint, il se lirait pour toute la file."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Anomalie]:
        anomalies = super().get_queryset(request, exclude_parameters).select_related(None)
        return anomalies.prefetch_related(
            "caf",
            "restitution",
            Prefetch("transaction", TransactionPayzen.objects.select_related("compte")),
            Prefetch(
                "paiement", Paiement.objects.select_related("demarche__allocataire__caf", "debit__compte", "solde")
            ),
            Prefetch("dette", Dette.objects.select_related("allocataire__caf")),
        )


@admin.register(Anomalie)
class AnomalieAdmin(ChercheAdmin, GestesAdmin):
    sans_caf = True
    change_form_template = "admin/anomalie.html"
    list_display = ["genre", "argent_en_jeu", "age", "a_qui", "conseil", "caf", "etat"]
    list_filter = ["etat", "genre", CafFilter]
    list_per_page = 50
    show_full_result_count = False
    # Ni l'espèce, ni la personne, ni le paiement : la tête de la fiche les dit déjà.
    fields = readonly_fields = ("etat", "caf", "dette", "restitution", "ouverte_le")
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

    def get_list_display(self, request: HttpRequest) -> Any:
        """La colonne de la Caf n'apprend rien à qui n'en a qu'une."""
        seule = len(get_codes(request)) == 1
        return [nom for nom in self.list_display if nom != "caf" or not seule]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListeDAnomalies

    def get_ordering(self, request: HttpRequest) -> Any:
        return ORDRE_DE_LA_FILE

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """La liste, et ce qu'elle totalise : ce que la banque tient de ce qui est montré."""
        reponse = super().changelist_view(request, extra_context)
        if isinstance(reponse, TemplateResponse) and reponse.context_data and "cl" in reponse.context_data:
            liste = reponse.context_data["cl"]
            tenu = ecrire_euros(sommer_le_tenu(liste.queryset))
            reponse.context_data["subtitle"] = f"Tenu par la banque dans cette liste : {tenu}"
        return reponse

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Les faits et le conseil se lisent avant les boutons."""
        anomalie = self.get_object(request, object_id)
        lue = {"faits": dire_ce_qui_s_est_passe(anomalie), "conseil": self.dire_que_faire(anomalie)}
        argent = {"en_jeu": self.argent_en_jeu(anomalie), "paiements": _lister_les_paiements(anomalie)}
        contexte = {**presenter(anomalie), **lue, **argent, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, contexte)

    @admin.display(description="allocataire")
    def a_qui(self, anomalie: Anomalie) -> SafeString | str:
        return lier(trouver(anomalie))

    @admin.display(description="argent en jeu", ordering="en_jeu")
    def argent_en_jeu(self, anomalie: Any) -> str:
        return ecrire_en_jeu(anomalie, anomalie.en_jeu)

    @admin.display(description="depuis", ordering="ouverte_le")
    def age(self, anomalie: Anomalie) -> str:
        ecart = timesince(anomalie.ouverte_le)
        return "-" if not anomalie.is_a_trancher else "moins d'une minute" if ecart.startswith("0") else ecart

    @admin.display(description="ce qu'on propose")
    def conseil(self, anomalie: Anomalie) -> str:
        return conseiller(anomalie)

    def dire_que_faire(self, anomalie: Anomalie) -> str:
        """Le conseil ; de l'argent attend d'abord qu'une restitution en cours se finisse."""
        conseil = conseiller(anomalie)
        attend = anomalie.is_ouverte and is_d_argent(anomalie) and not is_libre(anomalie)
        return f"{PENDANT_UNE_RESTITUTION} {conseil}" if attend else conseil
