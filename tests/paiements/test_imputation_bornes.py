"""Les imputations sont signées, jamais retouchées, et la base en garde les bornes."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from dettes.models import Mouvement
from paiements.causes import par_service
from paiements.imputation.reprendre import reprendre_des_dettes
from paiements.models import Imputation
from tests.paiements.livres import rembourser, reprendre

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "faute",
    [
        lambda i: Imputation.objects.filter(pk=i.pk).update(montant=1),
        lambda i: i.delete(),
        lambda i: imputer_de_plus(i, -Decimal("80.01")),
        lambda i: imputer_de_plus(i, Decimal("0.01")),
    ],
    ids=["récrire", "effacer", "reprendre trop", "imputer trop"],
)
def test_la_base_refuse_ce_qui_sort_des_bornes(paye, agent, faute):
    """80 € sont encore sur l'ancienne dette, et la banque n'en tient pas plus."""
    paiement = paye(impute=True)
    reprendre(rembourser(paiement, 70), agent)
    imputation = paiement.imputations.filter(montant=100).get()

    with pytest.raises(DatabaseError), transaction.atomic():
        faute(imputation)


def test_une_part_du_mauvais_signe_n_est_pas_reprise(paye):
    """Une « reprise » de −10 € serait un paiement de plus, que la Caf croirait : la base refuse, et rien ne reste."""
    paiement = paye(impute=True)
    ancienne, recente = paiement.imputations.order_by("pk").values_list("dette_id", flat=True)

    with pytest.raises(DatabaseError), transaction.atomic():
        reprendre_des_dettes(paiement, {ancienne: Decimal(40), recente: Decimal(-10)}, par_service("essai"))

    assert paiement.imputations.count() == 2


def imputer_de_plus(imputation, montant):
    mouvement = Mouvement.objects.create(
        dette=imputation.dette, genre="REJET" if montant < 0 else "IMPUTATION", montant=-montant, origine="test"
    )
    Imputation.objects.create(
        paiement=imputation.paiement,
        debit=imputation.debit,
        dette=imputation.dette,
        montant=montant,
        mouvement=mouvement,
        paye_le=imputation.paye_le,
        motif="test",
        auteur="test",
    )
