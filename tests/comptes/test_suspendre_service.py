"""Suspendre et reprendre d'une commande : une Caf, ou toutes ; à blanc d'abord."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from comptes.models import Caf
from socle.commandes import Code
from tests.factories import CafFactory

pytestmark = pytest.mark.django_db


def lancer(*arguments):
    sortie = StringIO()
    call_command(*arguments, stdout=sortie)
    return sortie.getvalue()


@pytest.fixture(autouse=True)
def cafs():
    return [CafFactory(), CafFactory(code="751", nom="Caf de Paris", departement="75")]


def test_sans_appliquer_rien_n_est_suspendu():
    sortie = lancer("suspendre_service", "661", "--message", "Maintenance.")

    assert "Suspendues : 661." in sortie
    assert Caf.objects.filter(ouverte=True).count() == 2


def test_une_caf_se_suspend_avec_son_message_puis_se_reprend():
    lancer("suspendre_service", "661", "--message", "Maintenance.", "--retour", "2026-12-01", "--appliquer")
    suspendue = Caf.objects.get(pk="661")
    lancer("reprendre_service", "661", "--appliquer")

    assert (suspendue.ouverte, suspendue.message_suspension, str(suspendue.retour_prevu_le)) == (
        False,
        "Maintenance.",
        "2026-12-01",
    )
    assert Caf.objects.get(pk="661").ouverte


def test_toutes_d_un_coup():
    lancer("suspendre_service", "--toutes", "--message", "Panne.", "--appliquer")

    assert not Caf.objects.filter(ouverte=True).exists()


@pytest.mark.parametrize(("cafs", "code"), [(["999"], Code.CONSTAT), ([], Code.MAL_TAPEE)])
def test_une_caf_inconnue_ou_pas_nommee_est_dite(cafs, code):
    with pytest.raises(CommandError) as echec:
        lancer("suspendre_service", *cafs, "--message", "Panne.", "--appliquer")

    assert echec.value.returncode == code
