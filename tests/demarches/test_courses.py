"""Deux onglets, deux clics : les gestes d'une même démarche passent l'un après l'autre."""

from decimal import Decimal
from functools import partial

import pytest

from demarches import services
from demarches.etats import Etat
from demarches.models import Demarche
from paiements import depart as paiements
from tests.courses import en_meme_temps, fenetre
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, empreinte

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def personne():
    return UtilisateurFactory()


@pytest.fixture
def dettes(personne):
    return DetteFactory.create_batch(2, allocataire=personne.allocataire)


def test_quatre_clics_sur_commencer_n_ouvrent_qu_un_brouillon(personne):
    issues = en_meme_temps(*[partial(services.commencer, personne)] * 4)

    assert set(issues) == {Demarche.objects.get()}


def test_deux_onglets_n_entremelent_pas_leurs_montants(personne, dettes):
    demarche = DemarcheFactory(auteur=personne, lignes={dettes[0]: Decimal(10)})
    saisies = [{dettes[0].pk: Decimal(n), dettes[1].pk: Decimal(n)} for n in (20, 30, 40, 50)]

    issues = en_meme_temps(*[partial(services.enregistrer_montants, demarche, saisie) for saisie in saisies])

    demarche.refresh_from_db()
    assert all(isinstance(issue, Demarche) for issue in issues)
    assert dict(demarche.lignes.values_list("dette_id", "montant")) in saisies
    assert demarche.montant == demarche.total_des_lignes


def test_payer_dans_un_onglet_et_changer_les_montants_dans_l_autre(personne, dettes):
    demarche = DemarcheFactory(auteur=personne, lignes={dettes[0]: Decimal(10)})
    vue = empreinte(demarche)

    depart, saisie = en_meme_temps(
        lambda: paiements.payer(demarche, empreinte_vue=vue),
        lambda: services.enregistrer_montants(demarche, {dettes[1].pk: Decimal(20)}),
    )

    demarche.refresh_from_db()
    if demarche.etat == Etat.A_LA_BANQUE:
        assert isinstance(saisie, services.DemarcheFigee)
        assert depart.paiement.montant == demarche.montant == demarche.total_des_lignes == Decimal(10)
    else:
        assert isinstance(depart, paiements.RecapitulatifPerime)
        assert demarche.montant == demarche.total_des_lignes == Decimal(20)


def test_quatre_clics_sur_recommencer_ne_laissent_qu_un_brouillon(personne, dettes):
    demarche = DemarcheFactory(auteur=personne, lignes={dettes[0]: Decimal(10)})
    ancienne = PaiementFactory(demarche=demarche, refuse=True).demarche

    with fenetre("demarches_demarche", "INSERT"):
        issues = en_meme_temps(*[partial(services.recommencer, ancienne)] * 4)

    assert set(issues) == {Demarche.objects.brouillons().get()}
    assert Demarche.objects.get(recommence=ancienne).total_des_lignes == Decimal(10)


def test_abandonner_pendant_que_l_on_paie_ne_fait_ni_l_un_ni_l_autre_a_moitie(personne, dettes):
    demarche = DemarcheFactory(auteur=personne, lignes={dettes[0]: Decimal(10)})
    vue = empreinte(demarche)

    en_meme_temps(lambda: paiements.payer(demarche, empreinte_vue=vue), lambda: services.abandonner(demarche))

    demarche.refresh_from_db()
    assert (demarche.etat, demarche.lignes.count()) in [(Etat.A_LA_BANQUE, 1), (Etat.ABANDONNEE, 0)]
