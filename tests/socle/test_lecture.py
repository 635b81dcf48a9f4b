"""Une lecture composée une fois rend ce que l'ORM rendrait, pour chaque valeur, et sans rien garder."""

from decimal import Decimal

import pytest
from django.db.models import Count, Sum

from comptes.acces import COMPTE
from comptes.models import Utilisateur
from demarches.services import PAYABLES
from dettes.models import Dette
from socle.sql import Lecture, Parmi
from tests.factories import AgentFactory, DetteFactory, PaiementFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
SOMMES = Lecture(
    lambda cle: (
        Dette.objects.filter(allocataire=cle)
        .values("allocataire")
        .annotate(nombre=Count("pk"), somme=Sum("solde"))
        .values_list("nombre", "somme")
    )
)
PARMI = Lecture(lambda cles: Utilisateur.objects.filter(Parmi("pk", cles)).order_by("pk"))


def test_elle_lit_aussi_ce_qui_est_lie(django_assert_num_queries):
    personne = UtilisateurFactory()

    with django_assert_num_queries(1):
        (lue,) = COMPTE.lire(personne.pk)
        lie = (lue.allocataire, lue.allocataire.caf)

    assert (lue, *lie) == (personne, personne.allocataire, personne.allocataire.caf)


def test_un_lien_absent_reste_absent(django_assert_num_queries):
    agent = AgentFactory().utilisateur

    with django_assert_num_queries(1):
        assert [lu.allocataire for lu in COMPTE.lire(agent.pk)] == [None]


def test_ce_qui_n_existe_pas_ne_rend_rien():
    assert COMPTE.lire(0) == []


def test_elle_porte_les_sommes_qu_on_lui_demande_et_relit_a_chaque_fois():
    paiement = PaiementFactory(montant=Decimal(120))
    allocataire = paiement.demarche.allocataire

    (dette,) = PAYABLES.lire(allocataire.pk)
    autre = DetteFactory(allocataire=allocataire, notifiee_le=dette.notifiee_le.replace(year=2020))

    assert (dette.engage, dette.disponible) == (Decimal(120), Decimal(780))
    assert PAYABLES.lire(allocataire.pk) == [autre, dette]
    par_l_orm = Dette.objects.for_allocataire(allocataire).payables().with_disponible().plus_anciennes_d_abord()
    assert [vars(lue).keys() for lue in PAYABLES.lire(allocataire.pk)] == [vars(lue).keys() for lue in par_l_orm]


@pytest.mark.parametrize("combien", [0, 1, 3])
def test_elle_cherche_parmi_autant_de_valeurs_que_l_on_veut(combien):
    personnes = UtilisateurFactory.create_batch(3)[:combien]

    assert PARMI.lire([personne.pk for personne in personnes]) == personnes


def test_elle_rend_des_lignes_nues_et_leurs_sommes():
    paiement = PaiementFactory(montant=Decimal(120))
    dette = DetteFactory(allocataire=paiement.demarche.allocataire, montant_initial=Decimal(80))

    assert SOMMES.lire(dette.allocataire_id) == [(2, Decimal(980))]
    assert SOMMES.lire(0) == []
