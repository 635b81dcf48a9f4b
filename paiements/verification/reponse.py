"""« Avez-vous terminé le paiement ? » : demander aussitôt à la plateforme, et ne croire qu'elle."""

from django.conf import settings
from django.utils import translation

from paiements import liaisons
from paiements.boutiques import BoutiqueAbsente
from paiements.models import Paiement
from paiements.payzen import EchecRest
from paiements.statuts import Statut
from paiements.verification.interroger import conclure, lire_la_plateforme, signaler_l_echec

# Une personne attend devant sa page, et un processus avec elle.
DELAI_D_UN_APPEL = 3.0


class PlateformeMuette(Exception):
    """PayZen n'a rien dit : rien n'a changé, ni décidé."""


def repondre(paiement: Paiement, *, paye: bool) -> Paiement:
    """
    Interroge la plateforme sur un paiement à la banque, et rend le paiement dans son nouvel état.

    Si la personne dit ne pas avoir payé, et que la plateforme n'en sait rien, ses montants se libèrent
    (docs/adr/0050). Rien ne se décide quand la banque parle pendant qu'on lit.

    :raises PlateformeMuette: si la plateforme n'a pas répondu
    """
    if paiement.statut != Statut.EN_ATTENTE:
        return paiement
    if liaisons.get_reprise([liaisons.get_nom(paiement.boutique)]):
        raise PlateformeMuette(paiement.reference)
    try:
        lecture = lire_la_plateforme(paiement, DELAI_D_UN_APPEL)
    except (EchecRest, BoutiqueAbsente) as echec:
        with translation.override(settings.LANGUAGE_CODE):
            signaler_l_echec(paiement, echec)
        raise PlateformeMuette(paiement.reference) from echec
    # Ce qui s'en écrit reste au journal, que lisent les agents.
    with translation.override(settings.LANGUAGE_CODE):
        conclure(paiement.pk, lecture, renonce=not paye)
    return Paiement.objects.get(pk=paiement.pk)
