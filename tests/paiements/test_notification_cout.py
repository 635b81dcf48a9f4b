"""PayZen n'attend que dix secondes : une notification coûte peu d'allers-retours à la base."""

from decimal import Decimal

import pytest

from paiements import liaisons
from paiements.models import Ticket
from paiements.statuts import Statut
from paiements.verification.interroger import interroger
from tests.factories import PaiementFactory, demander

pytestmark = pytest.mark.django_db


@pytest.fixture
def paiement():
    return PaiementFactory(demarche=demander(Decimal(50), courriel="personne@exemple.fr"))


def test_un_accord_en_sept_instructions_ticket_compris(notifier, paiement, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):
        notifier(paiement, "AUTHORISED")

    assert paiement.ticket.etat == Ticket.Etat.A_ENVOYER


def test_une_repetition_en_quatre(notifier, paiement, django_assert_max_num_queries):
    notifier(paiement, "AUTHORISED")

    with django_assert_max_num_queries(4):
        notifier(paiement, "AUTHORISED")


def test_une_verification_ordinaire_en_neuf_transaction_comprise(
    notifier, plateforme, paiement, django_assert_max_num_queries
):
    notifier(paiement, "AUTHORISED")
    plateforme(paiement, "AUTHORISED")
    liaisons.noter_reponse(liaisons.get_nom(paiement.boutique))

    with django_assert_max_num_queries(9):
        interroger(paiement.pk)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.VERIFIE
