"""Les tableaux de la fiche d'un paiement : son journal, la banque, les dettes, la file, les décisions, le ticket."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from paiements.bureau.faits import dire_l_etat, dire_l_heure, ecrire_en_jeu, ecrire_montant
from paiements.bureau.qui import lier_la_fiche
from paiements.file.en_jeu import avec_en_jeu
from paiements.models import (
    Anomalie,
    DemandeCloture,
    DemandeRestitution,
    EtapePaiement,
    Imputation,
    MessagePayzen,
    Ticket,
    TransactionPayzen,
)
from socle.bureau import JournalInline
from socle.euros import ecrire_euros


class DeuxPersonnes:
    """Qui demande et qui décide, nommés : leur compte est à l'opérateur, un agent n'y entre pas."""

    @admin.display(description="demande")
    def fiche(self, demande: DemandeRestitution | DemandeCloture) -> SafeString:
        return lier_la_fiche(demande, f"n° {demande.pk}")

    @admin.display(description="demandée par")
    def qui_demande(self, demande: DemandeRestitution | DemandeCloture) -> str:
        return str(demande.demandeur)

    @admin.display(description="décidée par")
    def qui_decide(self, demande: DemandeRestitution | DemandeCloture) -> str:
        return str(demande.approbateur or "-")


class EtapeInline(JournalInline):
    model = EtapePaiement
    fields = readonly_fields = ("le", "geste", "de", "vers", "motif", "auteur")


class TransactionInline(JournalInline):
    """Une ligne par débit et par crédit de la banque."""

    model = TransactionPayzen
    fields = readonly_fields = (
        *("identifiant", "operation", "etat", "de", "tenu"),
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

    @admin.display(description="montant, le plus petit dit")
    def de(self, vue: TransactionPayzen) -> str:
        return ecrire_montant(vue.montant, vue.devise)

    @admin.display(description="carte")
    def carte(self, vue: TransactionPayzen) -> str:
        return f"{vue.marque} {vue.carte_masquee}".strip() or "-"


class MessageInline(JournalInline):
    model = MessagePayzen
    fields = readonly_fields = ("recu_le", "source", "operation", "statut", "de", "identifiant", "sort", "motif")

    @admin.display(description="transaction")
    def identifiant(self, message: MessagePayzen) -> str:
        return message.transaction_id or "-"

    @admin.display(description="montant")
    def de(self, message: MessagePayzen) -> str:
        return "-" if message.montant is None else ecrire_euros(message.montant)


class ImputationInline(JournalInline):
    model = Imputation
    fields = readonly_fields = ("dette", "de", "solde", "paye_le", "motif", "auteur")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Imputation]:
        return super().get_queryset(request).select_related("dette", "mouvement")

    @admin.display(description="montant")
    def de(self, imputation: Imputation) -> str:
        return ecrire_euros(imputation.montant)

    @admin.display(description="solde de la dette après")
    def solde(self, imputation: Imputation) -> str:
        return ecrire_euros(imputation.mouvement.solde_apres)


class TicketInline(JournalInline):
    model = Ticket
    extra = 0  # un ticket par paiement au plus : Django montrerait, vide, celui qui n'existe pas
    fields = readonly_fields = ("etat", "essais", "envoye_le", "prochain_essai_le", "dernier_motif")


class AnomalieInline(JournalInline):
    """Chaque anomalie, avec son journal."""

    model = Anomalie
    fields = readonly_fields = ("ouverte_le", "lien", "argent_en_jeu", "etat", "journal")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Anomalie]:
        anomalies = avec_en_jeu(Anomalie.objects.order_by("pk"))
        return anomalies.select_related("transaction").prefetch_related("etapes")

    @admin.display(description="anomalie")
    def lien(self, anomalie: Anomalie) -> SafeString:
        return lier_la_fiche(anomalie, str(anomalie))

    @admin.display(description="argent en jeu")
    def argent_en_jeu(self, anomalie: Any) -> str:
        return ecrire_en_jeu(anomalie, anomalie.en_jeu)

    @admin.display(description="journal")
    def journal(self, anomalie: Anomalie) -> SafeString:
        etapes = ((dire_l_heure(e.le), e.get_vers_display(), e.auteur, e.motif) for e in anomalie.etapes.all())
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} : {}, par {} : {}</li>", etapes))


class RestitutionInline(DeuxPersonnes, JournalInline):
    model = DemandeRestitution
    fields = readonly_fields = (
        *("fiche", "demandee_le", "de", "etat", "qui_demande"),
        *("motif", "qui_decide", "faite_le", "cause"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DemandeRestitution]:
        return super().get_queryset(request).select_related("demandeur", "approbateur")

    @admin.display(description="montant")
    def de(self, demande: DemandeRestitution) -> str:
        return ecrire_euros(demande.montant)


class ClotureInline(DeuxPersonnes, JournalInline):
    model = DemandeCloture
    fields = readonly_fields = ("fiche", "demandee_le", "motif", "qui_demande", "accord", "qui_decide", "decidee_le")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DemandeCloture]:
        return super().get_queryset(request).select_related("demandeur", "approbateur")
