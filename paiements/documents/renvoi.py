"""Renvoyer le ticket d'un paiement, à une adresse corrigée ou donnée après coup (PARCOURS §6)."""

from django import forms
from django.db import transaction
from django.utils.translation import get_language, gettext_lazy

from demarches.champs import CourrielField
from paiements.causes import Cause
from paiements.documents import envois
from paiements.models import RENVOIS_AU_PLUS, Paiement, Ticket
from paiements.passages import verrouiller

CAUSE = Cause("ticket redemandé, à une adresse relue", "allocataire")


class TropDeRenvois(Exception):
    """Ce ticket a déjà été redemandé autant de fois qu'on l'admet."""


class RenvoiForm(forms.Form):
    courriel = CourrielField(
        label=gettext_lazy("Votre adresse électronique"),
        error_messages={"required": gettext_lazy("Indiquez l’adresse où recevoir votre ticket")},
        help_text=gettext_lazy("Elle ne sert qu’à cet envoi."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


def compter_les_renvois(paiement: Paiement) -> int:
    """Combien de fois le ticket de ce paiement peut encore se redemander."""
    ticket = getattr(paiement, "ticket", None)
    return RENVOIS_AU_PLUS - ticket.renvois if ticket else RENVOIS_AU_PLUS


@transaction.atomic
def renvoyer(paiement: Paiement, courriel: str) -> None:
    """
    Fait partir de nouveau le ticket d'un paiement encaissé, et garde cette adresse à la place d'une autre.

    Un envoi en cours ne conclut plus rien : son adresse n'est plus la bonne.

    :raises TropDeRenvois: si cela a déjà été demandé trois fois
    """
    paiement = verrouiller(paiement.pk)
    ticket, _ = Ticket.objects.select_for_update().get_or_create(paiement=paiement)
    if ticket.renvois >= RENVOIS_AU_PLUS:
        raise TropDeRenvois(paiement.reference)
    paiement.demarche.courriel = courriel
    paiement.demarche.langue = get_language()
    paiement.demarche.save(update_fields=["courriel", "langue"])
    ticket.renvois += 1
    ticket.save(update_fields=["renvois"])
    envois.renvoyer(ticket, CAUSE)
