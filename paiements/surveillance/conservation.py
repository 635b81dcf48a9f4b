"""Ne garder que le temps promis par les mentions (DOMAINE §9) : une règle par ligne, et ce qu'elle efface."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from demarches.etats import Etat
from demarches.models import Demarche, LigneDemarche
from paiements.models import Ticket, TransactionPayzen

Lignes = QuerySet[Any]


class Regle(NamedTuple):
    """Ce qui est périmé, et comment l'effacer ; `effacer` rend le nombre d'objets touchés."""

    phrase: str
    perimes: Callable[[], Lignes]
    effacer: Callable[[Lignes], int]


def _il_y_a(jours: int) -> Any:
    return timezone.now() - timedelta(days=jours)


def _saisies() -> Lignes:
    return Demarche.objects.filter(etat__in=[Etat.BROUILLON, Etat.ABANDONNEE], cree_le__lt=_il_y_a(30))


def _courriels() -> Lignes:
    """Trois mois après l'envoi du ticket, ou après le clic quand rien n'a été envoyé."""
    envoyes = Q(paiement__ticket__envoye_le__lt=_il_y_a(91))
    sans_envoi = ~Q(paiement__ticket__etat=Ticket.Etat.ENVOYE) & Q(paiement__cree_le__lt=_il_y_a(91))
    return Demarche.objects.exclude(courriel="").filter(envoyes | sans_envoi)


def _cartes() -> Lignes:
    """Elles ne sont que sur les transactions : aucun message n'en garde (`message_sans_carte`)."""
    return TransactionPayzen.objects.filter(apprise_le__lt=_il_y_a(456)).exclude(marque="", carte_fin="")


def _effacer_les_saisies(saisies: Lignes) -> int:
    # Sous verrou : celle que l'allocataire paie à cet instant n'est plus une saisie, et garde ses lignes.
    cles = list(saisies.select_for_update(skip_locked=True).values_list("pk", flat=True))
    LigneDemarche.objects.filter(demarche__in=cles).delete()
    _, par_modele = Demarche.objects.filter(pk__in=cles).delete()
    return par_modele.get(Demarche._meta.label, 0)


REGLES = [
    Regle("saisies sans suite de plus de 30 jours", _saisies, _effacer_les_saisies),
    Regle("courriels de ticket de plus de 3 mois", _courriels, lambda lignes: lignes.update(courriel="")),
    Regle(
        "données de carte de plus de 15 mois",
        _cartes,
        lambda lignes: lignes.update(marque="", carte_fin=""),
    ),
]


def compter() -> list[tuple[str, int]]:
    """Ce qui serait effacé, règle par règle."""
    return [(regle.phrase, regle.perimes().count()) for regle in REGLES]


@transaction.atomic
def effacer() -> list[tuple[str, int]]:
    """Efface ce qui est périmé ; rend, règle par règle, combien."""
    return [(regle.phrase, regle.effacer(regle.perimes())) for regle in REGLES]
