"""Ce qui aurait dû se faire d'un paiement et ne s'est pas fait : compté à l'accueil, et filtre de la liste."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from paiements.models import MessagePayzen, Paiement, Ticket
from paiements.models.paiement import de_ce_mode
from paiements.statuts import Statut

SUIVI = timedelta(hours=2)
RETARD = timedelta(minutes=5)


def _sans_notification(paiements: QuerySet[Paiement]) -> QuerySet[Paiement]:
    """Acceptés, et nous ne l'avons su qu'en interrogeant, depuis deux heures : la notification s'est perdue."""
    maintenant = timezone.now()
    notifications = MessagePayzen.objects.notifications().filter(paiement=OuterRef("pk"))
    return paiements.filter(
        ~Exists(notifications),
        cree_le__gte=maintenant - 2 * SUIVI,
        debit__apprise_le__gte=maintenant - SUIVI,
    )


def _a_interroger(paiements: QuerySet[Paiement]) -> QuerySet[Paiement]:
    return paiements.filter(prochain_controle_le__lt=timezone.now() - RETARD)


def _a_imputer(paiements: QuerySet[Paiement]) -> QuerySet[Paiement]:
    """D'un autre mode, il ne s'imputera jamais : ce n'est pas un retard, et sa fiche le dit."""
    return paiements.filter(de_ce_mode(), statut=Statut.VERIFIE, imputer_le__lt=timezone.now() - RETARD)


def _ticket_a_envoyer(paiements: QuerySet[Paiement]) -> QuerySet[Paiement]:
    return paiements.filter(ticket__etat=Ticket.Etat.A_ENVOYER, ticket__prochain_essai_le__lt=timezone.now() - RETARD)


class Retard(NamedTuple):
    """Une chose qui tarde : son nom au filtre, et comment la trouver."""

    libelle: str
    trouver: Callable[[QuerySet[Paiement]], QuerySet[Paiement]]


RETARDS = {
    "sans_notification": Retard("su sans notification", _sans_notification),
    "interrogations": Retard("PayZen à interroger", _a_interroger),
    "imputations": Retard("à imputer aux dettes", _a_imputer),
    "tickets": Retard("ticket à envoyer", _ticket_a_envoyer),
}


def compter(paiements: QuerySet[Paiement]) -> dict[str, int]:
    """Combien de paiements attendent chaque chose depuis trop longtemps."""
    return {nom: retard.trouver(paiements).count() for nom, retard in RETARDS.items()}


class RetardFilter(admin.SimpleListFilter):
    """Les paiements que compte l'accueil, et eux seuls."""

    title = "retard"
    parameter_name = "retard"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(nom, retard.libelle) for nom, retard in RETARDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Paiement]) -> QuerySet[Paiement]:
        retard = RETARDS.get(self.value() or "")
        return retard.trouver(queryset) if retard else queryset
