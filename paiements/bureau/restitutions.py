"""Ce qu'il faut être deux pour décider : un agent demande, un comptable approuve."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from comptes.models import Utilisateur
from paiements.bureau.faits import dire_ce_qui_s_est_passe, dire_l_heure
from paiements.bureau.plateforme import dire_la_panne
from paiements.bureau.qui import lier, lier_le_paiement, presenter, trouver
from paiements.bureau.tableaux import DeuxPersonnes
from paiements.file.tenue import DejaResolue
from paiements.models import DemandeCloture, DemandeMiseDeCote, DemandeRestitution
from paiements.payzen import EchecRest
from paiements.retours import cloture, mise_de_cote, ordres, restitution
from socle.euros import ecrire_euros
from socle.gestes import Bouton, GestesAdmin
from socle.liste import CafFilter


def decider(demande: DemandeRestitution, donnees: dict[str, Any], agent: Utilisateur, *, accord: bool) -> str:
    restitution.decider(demande, accord=accord, agent=agent, motif=donnees["motif"])
    return "La restitution part à la plateforme." if accord else "La restitution est refusée."


def abandonner(demande: DemandeRestitution, donnees: dict[str, Any], agent: Utilisateur) -> str:
    with dire_la_panne(demande.paiement):
        arretee = ordres.abandonner(demande, motif=donnees["motif"], agent=agent)
    return f"L'ordre est arrêté : {arretee.cause}."


def decider_de_clore(demande: DemandeCloture, donnees: dict[str, Any], agent: Utilisateur, *, accord: bool) -> str:
    cloture.decider(demande, accord=accord, agent=agent, motif=donnees["motif"])
    if not accord:
        return f"La {demande.quoi} est refusée."
    if demande.is_confirmation:
        return "Le paiement est vérifié ; il va être imputé aux dettes."
    if retenu := demande.paiement.retenu:
        return f"Le paiement est clos, sans rien imputer ; les {ecrire_euros(retenu)} mis de côté le restent."
    return "Le paiement est clos sans débit ; ses montants sont libres."


def decider_de_laisser(
    demande: DemandeMiseDeCote, donnees: dict[str, Any], agent: Utilisateur, *, accord: bool
) -> str:
    mise_de_cote.decider(demande, accord=accord, agent=agent, motif=donnees["motif"])
    if not accord:
        return "C'est refusé : l'anomalie reste à traiter."
    return f"C'est tranché : {demande.get_verdict_display()}." if demande.verdict else "L'anomalie est mise de côté."


def _is_en_route(demande: DemandeRestitution) -> bool:
    return demande.etat in (DemandeRestitution.Etat.APPROUVEE, DemandeRestitution.Etat.ENVOYEE)


def _is_a_decider(demande: DemandeRestitution) -> bool:
    return demande.etat == DemandeRestitution.Etat.DEMANDEE


def _is_a_trancher(demande: DemandeCloture | DemandeMiseDeCote) -> bool:
    return demande.accord is None


def _boutons_a_deux(
    approuver: str, is_a_decider: Callable[[Any], bool], decide: Callable[..., str], *refus: type[Exception]
) -> list[Bouton]:
    """Approuver ou refuser ce qu'un autre demande : le même droit, et sa raison."""
    return [
        Bouton(
            nom,
            libelle,
            "approuver_restitution",
            is_a_decider,
            partial(decide, accord=accord),
            refus=refus,
        )
        for nom, libelle, accord in (("approuver", approuver, True), ("refuser", "Refuser", False))
    ]


class DemandeAdmin(DeuxPersonnes, GestesAdmin):
    """Une demande : à propos de qui, de quel paiement, pourquoi ; puis les boutons de qui décide."""

    chemin_caf = "paiement__caf"
    liens: tuple[str, ...] = ("paiement__demarche__allocataire__caf", "paiement__solde", "demandeur", "approbateur")
    ordering = ["-demandee_le"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(*self.liens)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        demande = self.get_object(request, object_id)
        faits = {"faits": [f"Demandée par {demande.demandeur} : {demande.motif}", *self.dire(demande)]}
        return super().change_view(
            request, object_id, form_url, {**presenter(demande), **faits, **(extra_context or {})}
        )

    def dire(self, demande: Any) -> Iterator[str]:
        """Ce qu'il faut lire avant de décider."""
        yield from ()

    @admin.display(description="allocataire")
    def a_qui(self, demande: Any) -> SafeString | str:
        return lier(trouver(demande))

    @admin.display(description="paiement")
    def lien(self, demande: Any) -> SafeString | str:
        return lier_le_paiement(demande.paiement)

    @admin.display(description="demande")
    def numero(self, demande: Any) -> str:
        return f"n° {demande.pk}"


@admin.register(DemandeRestitution)
class DemandeRestitutionAdmin(DemandeAdmin):
    list_display = ["numero", "a_qui", "lien", "de", "etat", "qui_demande", "demandee_le", "qui_decide", "faite_le"]
    list_filter = ["etat", CafFilter]
    fields = readonly_fields = (
        *("de", "etat", "demandee_le", "qui_decide", "decidee_le", "faite_le"),
        *("decision", "cause", "prochain_essai_le", "debit_a_restituer", "remboursement"),
    )
    liens = (*DemandeAdmin.liens, "debit")
    boutons = [
        *_boutons_a_deux("Approuver", _is_a_decider, decider, restitution.RestitutionImpossible),
        Bouton(
            "abandonner",
            "Arrêter cet ordre",
            "approuver_restitution",
            _is_en_route,
            abandonner,
            refus=(restitution.RestitutionImpossible, ordres.RestitutionPrise, EchecRest),
        ),
    ]

    def dire(self, demande: DemandeRestitution) -> Iterator[str]:
        yield f"À rendre au porteur de la carte : {ecrire_euros(demande.montant)}."
        remonte = "remontera" if _is_a_decider(demande) else "est remontée"
        for part in demande.parts.select_related("dette") if demande.etat != demande.Etat.REFUSEE else ():
            yield f"Approuvée, la dette {part.dette} {remonte} de {ecrire_euros(part.montant)}."
        if not _is_en_route(demande):
            return
        # PayZen ne rembourse une part qu'après la remise (PROTOCOLE §6.5) ; avant, il n'y a qu'à attendre la nuit.
        if demande.montant < demande.debit.montant and not demande.debit.is_remise:
            yield "PayZen ne rend une part qu'une fois le débit remis en banque, la nuit : l'ordre y est redonné seul."
        if demande.prochain_essai_le:
            yield f"Prochain essai : {dire_l_heure(demande.prochain_essai_le)}."

    @admin.display(description="montant", ordering="montant")
    def de(self, demande: DemandeRestitution) -> str:
        return ecrire_euros(demande.montant)

    @admin.display(description="débit à restituer")
    def debit_a_restituer(self, demande: DemandeRestitution) -> str:
        return demande.debit_id

    @admin.display(description="remboursement")
    def remboursement(self, demande: DemandeRestitution) -> str:
        return demande.credit_id or "-"


@admin.register(DemandeCloture)
class DemandeClotureAdmin(DemandeAdmin):
    list_display = [
        *("numero", "a_qui", "lien", "a_faire"),
        *("accord", "qui_demande", "demandee_le", "qui_decide", "decidee_le"),
    ]
    list_filter = ["accord", CafFilter]
    fields = readonly_fields = (*("a_faire", "accord", "demandee_le", "qui_decide", "decidee_le", "decision"),)
    boutons = _boutons_a_deux("Approuver", _is_a_trancher, decider_de_clore, cloture.ClotureImpossible)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("paiement__etapes")

    def dire(self, demande: DemandeCloture) -> Iterator[str]:
        if not _is_a_trancher(demande):
            return
        if demande.is_confirmation:
            yield "Approuvée, le paiement est vérifié sans que PayZen le redise, et s'impute aux dettes."
            yield "Le lire d'abord au Back Office : accepté ou remis, du même montant, ni remboursé ni impayé."
        elif retenu := demande.paiement.retenu:
            yield f"La banque en annonce {ecrire_euros(retenu)}, mis de côté : ils le restent. Le lire au Back Office."
            yield "Approuvée, le paiement finit sans être imputé ; l'allocataire ne recommence pas cette demande."
        else:
            yield "Approuvée, le paiement finit sans débit ; ses montants sont libres, l'allocataire peut recommencer."
            yield "Si la banque dit plus tard qu'elle l'a accepté, il l'est encore."

    @admin.display(description="ce qui est demandé")
    def a_faire(self, demande: DemandeCloture) -> str:
        return demande.quoi


@admin.register(DemandeMiseDeCote)
class DemandeMiseDeCoteAdmin(DemandeAdmin):
    chemin_caf = "anomalie__caf"
    list_display = [
        "numero",
        "a_qui",
        "anomalie",
        "de",
        "accord",
        "qui_demande",
        "demandee_le",
        "qui_decide",
        "decidee_le",
    ]
    list_filter = ["accord", CafFilter]
    fields = readonly_fields = (*("anomalie", "de", "accord", "demandee_le", "qui_decide", "decidee_le", "decision"),)
    boutons = _boutons_a_deux(
        "Approuver",
        _is_a_trancher,
        decider_de_laisser,
        mise_de_cote.MiseDeCoteImpossible,
        DejaResolue,
    )
    liens = (
        *("anomalie__paiement__demarche__allocataire__caf", "anomalie__paiement__solde", "anomalie__caf"),
        *("anomalie__transaction__compte", "anomalie__dette__allocataire__caf", "demandeur", "approbateur"),
    )

    def dire(self, demande: DemandeMiseDeCote) -> Iterator[str]:
        yield f"Argent en jeu à la demande : {self.de(demande)}."
        yield from dire_ce_qui_s_est_passe(demande.anomalie)
        if demande.verdict:
            yield f"Ce qui est à trancher, d'après le Back Office : {demande.get_verdict_display()}."
        elif _is_a_trancher(demande):
            yield "Approuvée, cet argent reste à la banque, ni rendu ni imputé, tant que les comptes ne changent pas."

    @admin.display(description="argent en jeu", ordering="montant")
    def de(self, demande: DemandeMiseDeCote) -> str:
        return "ne se compte pas en euros" if demande.montant is None else ecrire_euros(demande.montant)
