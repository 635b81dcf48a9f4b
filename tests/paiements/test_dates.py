"""La date d'un paiement est celle de la banque, entre le clic et maintenant ; l'heure où nous l'avons appris, non."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from dettes.encaissements import emettre
from paiements.documents import tickets
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Paiement
from tests.factories import FaitFactory, PaiementFactory, dire, repondre

pytestmark = pytest.mark.django_db

A_LA_BANQUE = timedelta(minutes=3)


def relire(paiement):
    return Paiement.objects.get(pk=paiement.pk)


@pytest.fixture
def paiement(time_machine):
    """Un clic, le 30 novembre à 23 h 40 de Paris ; le temps ne passe que sur commande."""
    time_machine.move_to(datetime(2026, 11, 30, 22, 40, tzinfo=UTC), tick=False)
    return PaiementFactory()


def test_une_notification_perdue_et_retrouvee_deux_jours_apres_n_y_change_rien(paiement, time_machine, tmp_path):
    creee_le = paiement.cree_le + A_LA_BANQUE
    time_machine.shift(timedelta(days=2))

    repondre(paiement, FaitFactory(paiement=paiement, source="REST", creee_le=creee_le))
    imputer_un_lot()
    emettre(paiement.caf, tmp_path)

    [fichier] = tmp_path.glob("encaissements_*.csv")
    paiement = relire(paiement)
    assert (paiement.paye_le, tickets.lire(paiement).paye_le) == (creee_le, creee_le)
    assert paiement.debit.apprise_le == timezone.now()
    assert f"{paiement.reference};2026-11-30;2026-12-02;" in fichier.read_text()


def test_redite_plus_tard_la_date_reste(paiement, time_machine):
    creee_le = paiement.cree_le + A_LA_BANQUE
    time_machine.shift(timedelta(minutes=5))
    dire(paiement, "AUTHORISED", creee_le=creee_le)

    time_machine.shift(timedelta(days=1))
    dire(paiement, "AUTHORISED", source="RETRY")
    repondre(paiement, FaitFactory(paiement=paiement, source="REST", creee_le=creee_le))

    assert relire(paiement).paye_le == creee_le


@pytest.mark.parametrize(("ecart", "attendu"), [(-timedelta(hours=1), "le clic"), (timedelta(hours=5), "maintenant")])
def test_elle_est_bornee_entre_le_clic_et_maintenant(paiement, time_machine, ecart, attendu):
    time_machine.shift(timedelta(minutes=5))

    dire(paiement, "AUTHORISED", creee_le=paiement.cree_le + ecart)

    assert relire(paiement).paye_le == {"le clic": paiement.cree_le, "maintenant": timezone.now()}[attendu]


def test_sans_heure_de_la_banque_c_est_celle_ou_nous_l_avons_appris(paiement, time_machine):
    time_machine.shift(timedelta(minutes=7))

    dire(paiement, "AUTHORISED")

    assert relire(paiement).paye_le == timezone.now()


def test_ce_que_la_caf_a_lu_ne_change_plus(paiement, time_machine):
    """L'imputation garde sa date, même si la banque précise la sienne ensuite ; la reprise redit la même."""
    dire(paiement, "AUTHORISED")
    repondre(paiement, FaitFactory(paiement=paiement, source="REST"))
    imputer_un_lot()
    dite = paiement.imputations.get().paye_le

    dire(paiement, "CANCELLED", creee_le=paiement.cree_le - timedelta(days=1), montant=Decimal(120))

    assert set(paiement.imputations.values_list("paye_le", flat=True)) == {dite}


def test_rien_n_est_date_tant_que_rien_n_est_encaisse(paiement):
    assert paiement.paye_le is None
