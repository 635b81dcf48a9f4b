"""La fiche d'un paiement : tout sur une page, du clic sur « Payer » à la dette."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from comptes.models import Utilisateur
from paiements.boutiques import BoutiqueAbsente
from paiements.bureau.en_jeu import avec_en_jeu, ecrire_en_jeu
from paiements.bureau.faits import dire_l_etat, dire_l_heure, ecrire_montant
from paiements.bureau.plateforme import dire_ce_qui_change
from paiements.models import (
    Anomalie,
    DemandeCloture,
    DemandeRestitution,
    EtapePaiement,
    Imputation,
    MessagePayzen,
    Paiement,
    Ticket,
    TransactionPayzen,
)
from paiements.passages import TransitionImpossible
from paiements.payzen import EchecRest
from paiements.retours import cloture, impaye, restitution
from paiements.statuts import Geste, is_possible
from paiements.verification import conclusions
from socle.bureau import Bouton, GestesAdmin, JournalInline
from socle.euros import ecrire_euros


class EtapeInline(JournalInline):
    model = EtapePaiement
    fields = readonly_fields = ("le", "geste", "de", "vers", "motif", "auteur")


class TransactionInline(JournalInline):
    """Une ligne par débit et par crédit de la banque."""

    model = TransactionPayzen
    fields = readonly_fields = (
        *("identifiant", "operation", "etat", "montant", "tenu"),
        *("debit_rembourse", "creee_le", "remise_le", "carte"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[TransactionPayzen]:
        return super().get_queryset(request).select_related("compte", "paiement").order_by("apprise_le", "uuid")

    @admin.display(description="état")
    def etat(self, vue: TransactionPayzen) -> str:
        sien = "le débit du paiement, " if vue.paiement and vue.paiement.debit_id == vue.uuid else ""
        absente = ", absente de la dernière lecture" if vue.absente_le else ""
        return f"{sien}{dire_l_etat(vue)}{absente}"

    @admin.display(description="tenu par la banque")
    def tenu(self, vue: TransactionPayzen) -> str:
        return ecrire_euros(vue.compte.tenu) if vue.is_debit else "-"

    @admin.display(description="débit remboursé")
    def debit_rembourse(self, vue: TransactionPayzen) -> str:
        return vue.parent_id or "-"

    @admin.display(description="identifiant")
    def identifiant(self, vue: TransactionPayzen) -> str:
        return vue.uuid

    @admin.display(description="montant")
    def montant(self, vue: TransactionPayzen) -> str:
        return ecrire_montant(vue.montant, vue.devise)

    @admin.display(description="carte")
    def carte(self, vue: TransactionPayzen) -> str:
        return f"{vue.marque} {vue.carte_masquee}".strip() or "-"


class MessageInline(JournalInline):
    model = MessagePayzen
    fields = readonly_fields = (
        "recu_le",
        "source",
        "operation",
        "statut",
        "montant",
        "transaction_id",
        "sort",
        "motif",
    )

    @admin.display(description="transaction")
    def identifiant(self, message: MessagePayzen) -> str:
        return message.transaction_id or "-"


class ImputationInline(JournalInline):
    model = Imputation
    fields = readonly_fields = ("dette", "montant", "mouvement", "paye_le", "motif", "auteur")


class TicketInline(JournalInline):
    model = Ticket
    extra = 0  # un ticket par paiement au plus : Django montrerait, vide, celui qui n'existe pas
    fields = readonly_fields = ("etat", "essais", "envoye_le", "prochain_essai_le", "dernier_motif")


class AnomalieInline(JournalInline):
    """Chaque anomalie, avec son journal."""

    model = Anomalie
    show_change_link = True
    fields = readonly_fields = ("ouverte_le", "genre", "argent_en_jeu", "etat", "journal")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Anomalie]:
        anomalies = avec_en_jeu(Anomalie.objects.order_by("pk"))
        return anomalies.select_related("transaction").prefetch_related("etapes")

    @admin.display(description="argent en jeu")
    def argent_en_jeu(self, anomalie: Any) -> str:
        return ecrire_en_jeu(anomalie, anomalie.en_jeu)

    @admin.display(description="journal")
    def journal(self, anomalie: Anomalie) -> SafeString:
        etapes = ((dire_l_heure(e.le), e.get_vers_display(), e.auteur, e.motif) for e in anomalie.etapes.all())
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} : {}, par {} : {}</li>", etapes))


class RestitutionInline(JournalInline):
    model = DemandeRestitution
    show_change_link = True
    fields = readonly_fields = (
        "demandee_le",
        "montant",
        "etat",
        "demandeur",
        "motif",
        "approbateur",
        "faite_le",
        "cause",
    )


class ClotureInline(JournalInline):
    model = DemandeCloture
    show_change_link = True
    fields = readonly_fields = ("demandee_le", "motif", "demandeur", "accord", "approbateur", "decidee_le")


def interroger(paiement: Paiement, _donnees: dict[str, Any], _agent: Utilisateur) -> str:
    return dire_ce_qui_change(paiement)


def confirmer(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    conclusions.confirmer(paiement, motif=donnees["motif"], agent=agent)
    return "Le paiement est vérifié ; il va être imputé aux dettes."


def demander_la_restitution(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    restitution.demander(paiement, motif=donnees["motif"], agent=agent)
    return "La restitution est demandée ; un comptable doit l'approuver."


def enregistrer_un_impaye(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    impaye.enregistrer(paiement, motif=donnees["motif"], agent=agent)
    return "L'impayé est enregistré ; les dettes sont remontées d'autant."


def demander_la_cloture(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    cloture.demander(paiement, motif=donnees["motif"], agent=agent)
    return "La clôture sans débit est demandée ; un comptable doit l'approuver."


def _is_a_restituer(paiement: Paiement) -> bool:
    return restitution.get_a_restituer(paiement) is not None and not restitution.is_en_cours(paiement)


@admin.register(Paiement)
class PaiementAdmin(GestesAdmin):
    list_display = ["reference", "montant", "statut", "caf", "cree_le", "paye_le"]
    list_filter = ["statut", ("caf", admin.RelatedOnlyFieldListFilter), "cree_le"]
    search_fields = [
        *("reference", "demarche__reference", "demarche__allocataire__numero"),
        *("transactions__carte_fin", "transactions__uuid"),
    ]
    search_help_text = "Référence, numéro allocataire, quatre derniers chiffres de la carte, uuid de transaction."
    ordering = ["-cree_le"]
    list_select_related = ["caf", "debit"]
    fields = readonly_fields = (
        *("demarche", "allocataire", "caf", "reference", "statut", "montant", "montant_admis"),
        *("tenu", "impute", "a_placer", "a_rendre", "boutique", "mode", "trans_id"),
        *("cree_le", "paye_le", "confirme_le", "prochain_controle_le", "controles", "imputer_le", "echecs"),
    )
    inlines = [
        *(EtapeInline, TransactionInline, MessageInline, ImputationInline, AnomalieInline),
        *(RestitutionInline, ClotureInline, TicketInline),
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
            refus=(restitution.RestitutionImpossible,),
        ),
        Bouton(
            "impaye",
            "Enregistrer un impayé",
            "approuver_restitution",
            impaye.is_enregistrable,
            enregistrer_un_impaye,
            refus=(impaye.ImpayeImpossible,),
        ),
        Bouton(
            "clore",
            "Demander la clôture sans débit",
            "traiter_anomalie",
            cloture.is_demandable,
            demander_la_cloture,
            refus=(cloture.ClotureImpossible,),
        ),
    ]

    @admin.display(description="allocataire")
    def allocataire(self, paiement: Paiement) -> str:
        return str(paiement.demarche.allocataire)

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
