"""Recommencer une démarche sans suite : une seule fois, avec ce qui se paie encore."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError

from demarches import services
from demarches.etats import Etat
from demarches.models import Demarche
from tests.demarches.conftest import baisser, lire
from tests.factories import DemarcheFactory, PaiementFactory

pytestmark = pytest.mark.django_db

Etape = Demarche.Etape


@pytest.mark.parametrize("fin", ["refuse", "expire"])
def test_recommencer_rouvre_une_demarche_deja_remplie(demarche, fin):
    ancienne = PaiementFactory(demarche=demarche, **{fin: True}).demarche

    nouvelle = services.recommencer(ancienne)

    assert nouvelle != ancienne
    assert (nouvelle.courriel, nouvelle.mode, nouvelle.montant) == ("ines@exemple.fr", "AFFECTE", Decimal(130))
    assert lire(nouvelle) == lire(ancienne)
    assert nouvelle.mentions_lues_le == ancienne.mentions_lues_le
    assert services.get_etape(nouvelle) == Etape.RECAPITULATIF


def test_recommencer_ramene_au_disponible(demarche, dettes):
    ancienne = PaiementFactory(demarche=demarche, refuse=True).demarche
    baisser(dettes[1], 90)

    nouvelle = services.recommencer(ancienne)

    assert lire(nouvelle) == {dettes[0]: Decimal(50), dettes[1]: Decimal(10)}


def test_recommencer_refait_lire_des_mentions_nouvelles(demarche, settings):
    ancienne = PaiementFactory(demarche=demarche, refuse=True).demarche
    settings.MENTIONS_VERSION = "2027-01"

    nouvelle = services.recommencer(ancienne)

    assert nouvelle.mentions_lues_le is None
    assert services.get_etape(nouvelle) == Etape.INFORMATIONS


def test_recommencer_remplace_le_brouillon_en_cours(demarche, personne):
    ancienne = PaiementFactory(demarche=demarche, refuse=True).demarche
    brouillon = services.commencer(personne)

    nouvelle = services.recommencer(ancienne)

    brouillon.refresh_from_db()
    assert brouillon.etat == Etat.ABANDONNEE
    assert Demarche.objects.brouillons().get() == nouvelle


@pytest.mark.parametrize("etat", ["attente", "accepte", "impute"])
def test_on_ne_recommence_pas_ce_qui_est_en_route_ou_abouti(demarche, etat):
    traits = {} if etat == "attente" else {etat: True}
    ancienne = PaiementFactory(demarche=demarche, **traits).demarche

    with pytest.raises(services.RecommencementImpossible):
        services.recommencer(ancienne)


def test_recommencer_deux_fois_rend_la_meme_demarche(demarche):
    ancienne = PaiementFactory(demarche=demarche, refuse=True).demarche
    premiere = services.recommencer(ancienne)

    deuxieme = services.recommencer(ancienne)

    assert deuxieme == premiere
    assert premiere.recommence == ancienne


def test_une_demarche_recommencee_puis_payee_ne_rouvre_rien(demarche):
    ancienne = PaiementFactory(demarche=demarche, refuse=True).demarche
    payee = PaiementFactory(demarche=services.recommencer(ancienne), accepte=True).demarche

    assert services.recommencer(ancienne) == payee
    assert not Demarche.objects.brouillons().exists()


def test_la_base_refuse_de_recommencer_deux_fois(demarche, personne):
    ancienne = PaiementFactory(demarche=demarche, refuse=True).demarche
    services.recommencer(ancienne)

    with pytest.raises(IntegrityError):
        DemarcheFactory(auteur=personne, etat=Etat.ABANDONNEE, recommence=ancienne)


def test_une_demarche_payee_ne_change_plus_de_ce_qu_elle_recommence(demarche, personne):
    ancienne = PaiementFactory(demarche=demarche, refuse=True).demarche
    payee = PaiementFactory(demarche=services.recommencer(ancienne), accepte=True).demarche

    with pytest.raises(DatabaseError):
        Demarche.objects.filter(pk=payee.pk).update(recommence=None)


def test_une_saisie_abandonnee_ne_compte_pas_pour_un_recommencement(demarche):
    ancienne = PaiementFactory(demarche=demarche, refuse=True).demarche
    abandonnee = services.recommencer(ancienne)
    services.abandonner(abandonnee)

    nouvelle = services.recommencer(ancienne)

    assert nouvelle != abandonnee
    assert lire(nouvelle) == lire(ancienne)
