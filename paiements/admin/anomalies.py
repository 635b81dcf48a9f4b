"""La file des agents : ce qui attend, du plus ancien au plus récent, et comment en sortir."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from comptes.models import Utilisateur
from dettes.models import Dette
from paiements import anomalies, impayes, imputation, reprise, restitution
from paiements.admin.constat import montrer
from paiements.admin.plateforme import interroger, relire
from paiements.boutiques import BoutiqueAbsente
from paiements.conseils import conseiller
from paiements.models import Anomalie, Paiement, Reprise
from paiements.payzen import EchecRest
from socle.bureau import MOTIF, Bouton, GestesAdmin, JournalInline, MotifForm
from socle.carte import MotifField
from socle.euros import ecrire_euros

Genre = Anomalie.Genre


class ResteForm(MotifForm):
    """Où porter le reste, et comment l'allocataire a donné son accord."""

    field_order = ("reference", "motif")
    reference = MotifField(label="Référence de la dette", max_length=30)
    motif = MotifField(label="Accord de l'allocataire : comment, quand", max_length=200, widget=MOTIF)


class RepriseForm(MotifForm):
    """De quelles dettes reprendre la part que la banque ne tient plus : une proposition, que l'agent corrige."""

    def __init__(self, *args: Any, objet: Anomalie, **kwargs: Any) -> None:
        super().__init__(*args, objet=objet, **kwargs)
        for imputation_, part in reprise.proposer(objet).items():
            reste = ecrire_euros(imputation_.reste)
            self.fields[f"part_{imputation_.pk}"] = forms.DecimalField(
                label=f"À reprendre à la dette {imputation_.dette} (ce paiement y a porté {reste})",
                initial=part,
                min_value=0,
                max_value=imputation_.reste,
                decimal_places=2,
                localize=True,
                error_messages={"max_value": f"au plus {reste}"},
            )
        self.order_fields([nom for nom in self.fields if nom != "motif"])


class SansPaiement(Exception):
    """L'anomalie ne parle d'aucun paiement à nous."""


class DetteInconnue(Exception):
    """L'allocataire n'a pas de dette de cette référence."""


def get_paiement(anomalie: Anomalie) -> Paiement:
    if anomalie.paiement is None:
        raise SansPaiement("cette anomalie ne parle d'aucun paiement né de ce service")
    return anomalie.paiement


def placer_le_reste(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    siennes = Dette.objects.for_allocataire(get_paiement(anomalie).demarche.allocataire)
    dette = siennes.filter(reference=donnees["reference"].strip().upper()).first()
    if dette is None:
        raise DetteInconnue("cet allocataire n'a pas de dette de cette référence")
    imputation.imputer_le_reste(anomalie, {dette: anomalie.montant}, accord=donnees["motif"], agent=agent)
    return f"Le reste est porté sur la dette {dette.reference}."


def demander_la_restitution(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    restitution.demander(get_paiement(anomalie), motif=donnees["motif"], agent=agent, anomalie=anomalie)
    return "La restitution est demandée ; un comptable doit l'approuver."


def reprendre(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    parts = {int(nom.removeprefix("part_")): part for nom, part in donnees.items() if nom.startswith("part_")}
    # La plateforme sait, elle, de quel débit est un crédit : on le lui redemande avant de rouvrir des dettes.
    paiement = get_paiement(anomalie)
    relire(paiement)
    paiement = reprise.reprendre(anomalie, parts, motif=donnees["motif"], agent=agent)
    return f"La part est reprise : la banque tient encore {ecrire_euros(paiement.net)} de ce paiement."


def accepter_le_montant(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    faits = interroger(get_paiement(anomalie)).faits
    paiement = reprise.accepter_le_montant(anomalie, faits, motif=donnees["motif"], agent=agent)
    return f"Le paiement est accepté pour {ecrire_euros(paiement.net)}."


def annuler_un_impaye(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    impayes.annuler(anomalie, motif=donnees["motif"], agent=agent)
    return "L'impayé est annulé. PayZen est interrogé : ce que la banque tient paraîtra comme un écart, à rendre."


def mettre_de_cote(anomalie: Anomalie, donnees: dict[str, Any], agent: Utilisateur) -> str:
    anomalies.resoudre(anomalie, motif=donnees["motif"], agent=agent, issue=Anomalie.Issue.ECARTEE)
    return "L'anomalie est mise de côté."


def _is_ouverte(anomalie: Anomalie) -> bool:
    return anomalie.resolue_le is None


def _is_a_rendre(anomalie: Anomalie) -> bool:
    return restitution.is_a_rendre(anomalie) and not restitution.is_en_cours(get_paiement(anomalie))


class EtatFilter(admin.SimpleListFilter):
    """Ce qui attend, ou ce qui est réglé."""

    title = "état"
    parameter_name = "resolue_le__isempty"

    def lookups(self, *_: object) -> list[tuple[str, str]]:
        return [("1", "à traiter"), ("0", "résolues")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Anomalie]) -> QuerySet[Anomalie]:
        return queryset.filter(resolue_le__isnull=self.value() == "1") if self.value() else queryset


class RepriseInline(JournalInline):
    model = Reprise
    fields = readonly_fields = ("le", "montant", "imputation", "mouvement")


@admin.register(Anomalie)
class AnomalieAdmin(GestesAdmin):
    sans_caf = True
    list_display = ["genre", "retenu", "annonce", "paiement", "ouverte_le", "resolue_le", "caf"]
    list_filter = [EtatFilter, "genre", ("caf", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["paiement__reference", "cle"]
    list_select_related = ["caf", "paiement"]
    fields = readonly_fields = (
        *("genre", "conseil", "retenu", "annonce", "a_reprendre", "caf", "paiement", "dette"),
        *("ce_qui_s_est_passe", "ouverte_le", "resolue_le", "resolue_par", "issue", "resolution"),
    )
    inlines = [RepriseInline]
    boutons = [
        Bouton(
            "placer",
            "Porter le reste sur une autre dette",
            "traiter_anomalie",
            lambda anomalie: _is_ouverte(anomalie) and anomalie.genre == Genre.RELIQUAT,
            placer_le_reste,
            refus=(imputation.ResteImpossible, DetteInconnue, SansPaiement, anomalies.DejaResolue),
            form=ResteForm,
        ),
        Bouton(
            "reprendre",
            "Reprendre ce que la banque ne tient plus",
            "traiter_anomalie",
            lambda anomalie: bool(reprise.get_part(anomalie)),
            reprendre,
            refus=(reprise.RepriseImpossible, SansPaiement, EchecRest, BoutiqueAbsente, anomalies.DejaResolue),
            form=RepriseForm,
        ),
        Bouton(
            "accepter",
            "Accepter le montant de la banque",
            "traiter_anomalie",
            reprise.is_a_accepter,
            accepter_le_montant,
            refus=(reprise.RepriseImpossible, SansPaiement, EchecRest, BoutiqueAbsente),
        ),
        Bouton(
            "restituer",
            "Demander la restitution",
            "demander_restitution",
            _is_a_rendre,
            demander_la_restitution,
            refus=(restitution.RestitutionImpossible, SansPaiement),
        ),
        Bouton(
            "annuler_impaye",
            "Annuler cet impayé",
            "approuver_restitution",
            impayes.is_annulable,
            annuler_un_impaye,
            refus=(impayes.ImpayeImpossible, anomalies.DejaResolue),
        ),
        Bouton(
            "clore",
            "Mettre de côté",
            "traiter_anomalie",
            _is_ouverte,
            mettre_de_cote,
            refus=(anomalies.DejaResolue,),
        ),
    ]

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Ce qui attend d'abord, du plus ancien au plus récent."""
        return Anomalie.ORDRE_DE_LA_FILE

    @admin.display(description="ce qu'on propose")
    def conseil(self, anomalie: Anomalie) -> str:
        return conseiller(anomalie)

    @admin.display(description="argent retenu", ordering="montant")
    def retenu(self, anomalie: Anomalie) -> str:
        return ecrire_euros(anomalie.montant)

    @admin.display(description="annoncé par la banque")
    def annonce(self, anomalie: Anomalie) -> str:
        return "-" if anomalie.annonce is None else ecrire_euros(anomalie.annonce)

    @admin.display(description="à reprendre")
    def a_reprendre(self, anomalie: Anomalie) -> str:
        return ecrire_euros(part) if (part := reprise.get_part(anomalie)) else "-"

    @admin.display(description="ce qui s'est passé")
    def ce_qui_s_est_passe(self, anomalie: Anomalie) -> SafeString:
        return montrer(anomalie.constat)
