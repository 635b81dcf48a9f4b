"""La fiche d'un paiement : tout sur une page, du clic sur « Payer » à la dette."""

from typing import Any

from django.contrib import admin

from comptes.models import Utilisateur
from paiements import controle, impayes, reprise, restitution, services
from paiements.admin import plateforme
from paiements.boutiques import BoutiqueAbsente
from paiements.models import (
    Anomalie,
    DemandeRestitution,
    EtapePaiement,
    Imputation,
    NotificationPayzen,
    Paiement,
    Reprise,
    Ticket,
)
from paiements.payzen import EchecRest
from paiements.statuts import Geste, is_possible
from socle.bureau import Bouton, GestesAdmin, JournalInline
from socle.euros import ecrire_euros


class EtapeInline(JournalInline):
    model = EtapePaiement
    fields = readonly_fields = ("le", "geste", "de", "vers", "motif", "auteur")


class NotificationInline(JournalInline):
    model = NotificationPayzen
    fields = readonly_fields = ("recue_le", "source", "cle", "sort", "motif")


# Les champs du paiement, et ce qui s'en déduit.
CHAMPS = (
    *("demarche", "caf", "reference", "statut", "montant", "montant_debite", "net", "boutique", "mode", "trans_id"),
    *("cree_le", "accepte_le", "confirme_le", "remis_le", "uuid", "marque", "carte_fin", "carte_expiration"),
    *("autorisation", "prochain_controle_le", "controles"),
)


class ImputationInline(JournalInline):
    model = Imputation
    fields = readonly_fields = ("dette", "montant", "mouvement")


class RepriseInline(JournalInline):
    model = Reprise
    fields = readonly_fields = ("le", "montant", "imputation", "mouvement", "anomalie")


class TicketInline(JournalInline):
    model = Ticket
    extra = 0  # un ticket par paiement au plus : Django montrerait, vide, celui qui n'existe pas
    fields = readonly_fields = ("etat", "essais", "envoye_le", "prochain_essai_le", "dernier_motif")


class AnomalieInline(JournalInline):
    model = Anomalie
    fields = readonly_fields = ("ouverte_le", "genre", "montant", "resolue_le", "issue", "resolution")


class RestitutionInline(JournalInline):
    model = DemandeRestitution
    fields = readonly_fields = ("demandee_le", "montant", "etat", "demandeur", "approbateur", "motif")


def interroger(paiement: Paiement, _donnees: dict[str, Any], _agent: Utilisateur) -> str:
    apres = plateforme.relire(paiement)
    neuf = "rien de neuf" if apres.statut == paiement.statut else f"le paiement est {apres.get_statut_display()}"
    return f"PayZen a été interrogé : {neuf}."


def confirmer(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    controle.confirmer(paiement, motif=donnees["motif"], agent=agent)
    return "Le paiement est vérifié ; il va être porté aux dettes."


def demander_la_restitution(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    restitution.demander(paiement, motif=donnees["motif"], agent=agent)
    return "La restitution est demandée ; un comptable doit l'approuver."


def constater_un_impaye(paiement: Paiement, donnees: dict[str, Any], agent: Utilisateur) -> str:
    impayes.constater(paiement, motif=donnees["motif"], agent=agent)
    return "L'impayé est enregistré ; les dettes sont rouvertes."


def _is_a_rendre(paiement: Paiement) -> bool:
    tenu = is_possible(Geste.RESTITUER, paiement.statut) and paiement.net > 0
    return tenu and not restitution.is_en_cours(paiement)


@admin.register(Paiement)
class PaiementAdmin(GestesAdmin):
    list_display = ["reference", "montant", "statut", "caf", "cree_le", "accepte_le"]
    list_filter = ["statut", ("caf", admin.RelatedOnlyFieldListFilter), "cree_le"]
    search_fields = ["reference", "demarche__reference", "demarche__allocataire__numero", "carte_fin", "uuid"]
    search_help_text = "Référence, numéro allocataire, quatre derniers chiffres de la carte, uuid de transaction."
    ordering = ["-cree_le"]
    list_select_related = ["caf"]
    fields = readonly_fields = CHAMPS
    inlines = [
        *(EtapeInline, NotificationInline, ImputationInline, RepriseInline),
        *(TicketInline, RestitutionInline, AnomalieInline),
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
            refus=(services.TransitionImpossible,),
        ),
        Bouton(
            "restituer",
            "Demander la restitution de ce qui reste",
            "demander_restitution",
            _is_a_rendre,
            demander_la_restitution,
            refus=(restitution.RestitutionImpossible,),
        ),
        Bouton(
            "impaye",
            "Enregistrer un impayé",
            "approuver_restitution",
            impayes.is_constatable,
            constater_un_impaye,
            refus=(impayes.ImpayeImpossible,),
        ),
    ]

    @admin.display(description="débité par la banque")
    def montant_debite(self, paiement: Paiement) -> str:
        return ecrire_euros(paiement.montant_debite) if paiement.is_encaisse else "-"

    @admin.display(description="ce que la banque tient encore")
    def net(self, paiement: Paiement) -> str:
        if not is_possible(Geste.RESTITUER, paiement.statut):
            return "-"
        return ecrire_euros(paiement.net - reprise.get_a_reprendre(paiement))
