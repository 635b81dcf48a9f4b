"""La fiche d'un paiement : tout sur une page, du clic sur « Payer » à la dette."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from comptes.models import Utilisateur
from paiements.boutiques import BoutiqueAbsente
from paiements.bureau.dossier import dire_ou_est_l_argent
from paiements.bureau.faits import dire_l_heure
from paiements.bureau.formulaires import ImpayeForm, RestitutionPartielleForm, TicketForm, lire_les_parts
from paiements.bureau.papiers import PapiersAdmin
from paiements.bureau.plateforme import dire_ce_qui_change, relire
from paiements.bureau.qui import lier, presenter
from paiements.bureau.recherche import ChercheAdmin
from paiements.bureau.retards import RetardFilter
from paiements.bureau.tableaux import (
    AnomalieInline,
    ClotureInline,
    EtapeInline,
    ImputationInline,
    MessageInline,
    RestitutionInline,
    TicketInline,
    TransactionInline,
)
from paiements.documents import envois
from paiements.models import Paiement
from paiements.passages import TransitionImpossible
from paiements.payzen import EchecRest
from paiements.retours import cloture, impaye, restitution
from paiements.statuts import Geste, is_possible
from paiements.verification import conclusions
from socle.euros import ecrire_euros
from socle.gestes import Bouton
from socle.liste import CafFilter, LongueListeAdmin


def interroger(paiement: Paiement, _donnees: dict[str, Any], _agent: Utilisateur) -> str:
    return dire_ce_qui_change(paiement)


def confirmer(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    conclusions.confirmer(paiement, motif=donnees["motif"], agent=agent)
    return "Le paiement est vérifié ; il va être imputé aux dettes."


def demander_la_restitution(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    relire(paiement)  # on ne demande que ce que la banque tient encore à cet instant
    restitution.demander(paiement, motif=donnees["motif"], agent=agent)
    return "La restitution est demandée ; un comptable doit l'approuver."


def demander_une_part(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    relire(paiement)
    parts = lire_les_parts(donnees)
    demande = restitution.demander_une_part(paiement, parts, motif=donnees["motif"], agent=agent)
    return f"La restitution de {ecrire_euros(demande.montant)} est demandée ; un comptable doit l'approuver."


def renvoyer_le_ticket(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    envois.renvoyer_ailleurs(paiement, courriel=donnees["courriel"], motif=donnees["motif"], agent=agent)
    return "Le ticket part dans la minute."


def enregistrer_un_impaye(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    montant = donnees["montant"]
    paiement = impaye.enregistrer(paiement, montant=montant, motif=donnees["motif"], agent=agent)
    is_d_une_part = paiement.solde.tenu > 0
    suite = "de quelles dettes le reprendre est à dire" if is_d_une_part else "les dettes sont remontées d'autant"
    return f"L'impayé de {ecrire_euros(montant)} est enregistré ; {suite}."


def demander_la_cloture(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    cloture.demander(paiement, motif=donnees["motif"], agent=agent)
    return "La clôture sans débit est demandée ; un comptable doit l'approuver."


def demander_de_confirmer(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    cloture.demander_de_confirmer(paiement, motif=donnees["motif"], agent=agent)
    return "La confirmation d'après le Back Office est demandée ; un comptable doit l'approuver."


def _is_a_restituer(paiement: Paiement) -> bool:
    return restitution.get_a_restituer(paiement) is not None and not restitution.is_en_cours(paiement)


@admin.register(Paiement)
class PaiementAdmin(ChercheAdmin, PapiersAdmin, LongueListeAdmin):
    list_display = ["reference", "a_qui", "de", "statut", "cree_le", "paye_le", "caf"]
    list_filter = [CafFilter, "statut", "cree_le", RetardFilter, "mode"]
    tri = ["-cree_le", "-pk"]
    essentiel = (
        *("tenu", "impute", "a_placer", "a_rendre", "admis"),
        *("cree_le", "paye_le", "confirme_le", "carte", "autorisation"),
    )
    technique = ("boutique", "mode", "trans_id", "prochain_controle_le", "controles", "imputer_le", "echecs")
    readonly_fields = (*essentiel, *technique)
    fieldsets = [
        (None, {"fields": essentiel}),
        ("Pour l'exploitant", {"fields": technique, "classes": ["collapse"]}),
    ]
    inlines = [
        *(AnomalieInline, RestitutionInline, ClotureInline, ImputationInline, TransactionInline),
        *(TicketInline, EtapeInline, MessageInline),
    ]
    boutons = [
        Bouton(
            "interroger",
            "Interroger PayZen",
            "verifier",
            lambda _paiement: True,
            interroger,
            refus=(EchecRest, BoutiqueAbsente),
            form=None,
        ),
        Bouton(
            "confirmer",
            "Confirmer la vérification",
            "verifier",
            lambda paiement: is_possible(Geste.VERIFIER, paiement.statut) and paiement.confirme_le is not None,
            confirmer,
            refus=(TransitionImpossible,),
        ),
        Bouton(
            "restituer",
            "Demander la restitution de ce qui reste",
            "demander_restitution",
            _is_a_restituer,
            demander_la_restitution,
            refus=(restitution.RestitutionImpossible, EchecRest, BoutiqueAbsente),
        ),
        Bouton(
            "restituer_une_part",
            "Demander la restitution d'une part",
            "demander_restitution",
            lambda p: restitution.is_partielle_possible(p) and not restitution.is_en_cours(p),
            demander_une_part,
            refus=(restitution.RestitutionImpossible, EchecRest, BoutiqueAbsente),
            form=RestitutionPartielleForm,
        ),
        Bouton(
            "ticket",
            "Renvoyer le ticket",
            "traiter_anomalie",
            envois.is_renvoyable,
            renvoyer_le_ticket,
            refus=(envois.EnvoiImpossible,),
            form=TicketForm,
            tus=("courriel",),
        ),
        Bouton(
            "impaye",
            "Enregistrer un impayé",
            "approuver_restitution",
            impaye.is_enregistrable,
            enregistrer_un_impaye,
            refus=(impaye.ImpayeImpossible,),
            form=ImpayeForm,
        ),
        Bouton(
            "clore",
            "Demander la clôture sans débit",
            "traiter_anomalie",
            cloture.is_demandable,
            demander_la_cloture,
            refus=(cloture.ClotureImpossible,),
        ),
        Bouton(
            "confirmer_a_deux",
            "Demander la confirmation d'après le Back Office",
            "traiter_anomalie",
            cloture.is_confirmable,
            demander_de_confirmer,
            refus=(cloture.ClotureImpossible,),
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Paiement]:
        return super().get_queryset(request).select_related("demarche__allocataire__caf", "caf", "debit", "solde")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """De qui il s'agit se lit avant le reste."""
        paiement = self.get_object(request, object_id)
        faits = [f"{capfirst(dire_ou_est_l_argent(paiement))}."]
        return super().change_view(
            request, object_id, form_url, {**presenter(paiement), "faits": faits, **(extra_context or {})}
        )

    @admin.display(description="allocataire")
    def a_qui(self, paiement: Paiement) -> SafeString | str:
        return lier(paiement.demarche.allocataire)

    @admin.display(description="montant")
    def de(self, paiement: Paiement) -> str:
        return ecrire_euros(paiement.montant)

    @admin.display(description="montant admis par un agent")
    def admis(self, paiement: Paiement) -> str:
        return "-" if paiement.montant_admis is None else ecrire_euros(paiement.montant_admis)

    @admin.display(description="carte")
    def carte(self, paiement: Paiement) -> str:
        return (paiement.debit and f"{paiement.debit.marque} {paiement.debit.carte_masquee}".strip()) or "-"

    @admin.display(description="numéro d'autorisation")
    def autorisation(self, paiement: Paiement) -> str:
        return (paiement.debit and paiement.debit.autorisation) or "-"

    @admin.display(description="payé le")
    def paye_le(self, paiement: Paiement) -> str:
        return dire_l_heure(paiement.paye_le) if paiement.paye_le else "-"

    @admin.display(description="la banque tient de son débit")
    def tenu(self, paiement: Paiement) -> str:
        return ecrire_euros(paiement.solde.tenu)

    @admin.display(description="imputé aux dettes")
    def impute(self, paiement: Paiement) -> str:
        return ecrire_euros(paiement.solde.impute)

    @admin.display(description="à placer ; négatif, à reprendre des dettes")
    def a_placer(self, paiement: Paiement) -> str:
        return ecrire_euros(paiement.a_placer)

    @admin.display(description="tenu d'autres débits, à restituer")
    def a_rendre(self, paiement: Paiement) -> str:
        return ecrire_euros(paiement.solde.a_rendre)
