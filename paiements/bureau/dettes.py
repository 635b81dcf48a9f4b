"""Les dettes des Caf de l'agent : à qui, leurs mouvements, les paiements qui les ont fait baisser."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from dettes.models import Dette, Mouvement
from paiements.bureau.faits import ecrire_en_jeu
from paiements.bureau.qui import lier, lier_la_fiche, lier_le_paiement
from paiements.bureau.recherche import ChercheAdmin
from paiements.file.en_jeu import avec_en_jeu
from paiements.models import Anomalie, Imputation
from socle.bureau import JournalInline
from socle.euros import ecrire_euros
from socle.liste import CafFilter, LongueListeAdmin


class MouvementInline(JournalInline):
    model = Mouvement
    fields = readonly_fields = ("le", "genre", "de", "solde", "origine", "motif")

    @admin.display(description="montant")
    def de(self, mouvement: Mouvement) -> str:
        return ecrire_euros(mouvement.montant)

    @admin.display(description="solde après")
    def solde(self, mouvement: Mouvement) -> str:
        return ecrire_euros(mouvement.solde_apres)


class ImputationInline(JournalInline):
    model = Imputation
    verbose_name_plural = "paiements portés à cette dette"
    fields = readonly_fields = ("lien", "de", "paye_le", "motif", "auteur")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Imputation]:
        return super().get_queryset(request).select_related("paiement")

    @admin.display(description="paiement")
    def lien(self, imputation: Imputation) -> SafeString | str:
        return lier_le_paiement(imputation.paiement)

    @admin.display(description="montant")
    def de(self, imputation: Imputation) -> str:
        return ecrire_euros(imputation.montant)


class AnomalieInline(JournalInline):
    """Le fichier de la Caf qui mène cette dette sous zéro."""

    model = Anomalie
    fields = readonly_fields = ("ouverte_le", "lien", "argent_en_jeu", "etat", "detail")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Anomalie]:
        return avec_en_jeu(Anomalie.objects.order_by("pk")).select_related("transaction")

    @admin.display(description="anomalie")
    def lien(self, anomalie: Anomalie) -> SafeString:
        return lier_la_fiche(anomalie, str(anomalie))

    @admin.display(description="argent en jeu")
    def argent_en_jeu(self, anomalie: Any) -> str:
        return ecrire_en_jeu(anomalie, anomalie.en_jeu)


@admin.register(Dette)
class DetteAdmin(ChercheAdmin, LongueListeAdmin):
    list_display = ["reference", "a_qui", "libelle", "reste", "origine", "situation", "phase", "caf"]
    list_filter = [CafFilter, "situation", "phase"]
    tri = ["caf", "reference"]
    fields = readonly_fields = (
        *("a_qui", "reference", "libelle", "nom", "motif", "reste", "origine", "retenue", "situation", "phase"),
        *("nature", "creancier", "notifiee_le", "code", "caf"),
    )
    inlines = [MouvementInline, ImputationInline, AnomalieInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dette]:
        return super().get_queryset(request).select_related("caf", "allocataire__caf")

    @admin.display(description="allocataire")
    def a_qui(self, dette: Dette) -> SafeString | str:
        return lier(dette.allocataire)

    @admin.display(description="solde")
    def reste(self, dette: Dette) -> str:
        return ecrire_euros(dette.solde)

    @admin.display(description="montant d'origine")
    def origine(self, dette: Dette) -> str:
        return ecrire_euros(dette.montant_initial)

    @admin.display(description="retenue mensuelle")
    def retenue(self, dette: Dette) -> str:
        return ecrire_euros(dette.retenue_mensuelle) if dette.retenue_mensuelle else "-"
