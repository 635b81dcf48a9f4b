"""Partout où deux personnes peuvent se rencontrer : un seul gagne, l'autre le sait."""

from decimal import Decimal
from functools import partial

import pytest
import responses
from django.conf import settings
from django.db import OperationalError

from demarches.services import RecommencementImpossible, recommencer
from dettes.models import Dette
from paiements import depart
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Imputation, Paiement, TransactionPayzen
from paiements.statuts import Statut
from paiements.verification import interroger, reponse
from tests.courses import en_meme_temps, en_second, fenetre
from tests.factories import (
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
    demander,
    dire,
    empreinte,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_quatre_clics_simultanes_n_ouvrent_qu_un_paiement():
    demarche = demander(Decimal(120))
    vue = empreinte(demarche)

    with fenetre("demarches_demarche"):
        issues = en_meme_temps(*[lambda: depart.payer(demarche, empreinte_vue=vue)] * 4)

    assert Paiement.objects.count() == 1
    assert sum(isinstance(issue, depart.DejaDemandee) for issue in issues) == 3


def test_deux_conjoints_ne_depassent_jamais_le_disponible():
    allocataire = UtilisateurFactory().allocataire
    dettes = [DetteFactory(allocataire=allocataire, montant_initial=Decimal(100)) for _ in range(3)]
    conjoints = [UtilisateurFactory(allocataire=allocataire, identifiant=nom) for nom in ("un", "deux", "trois")]
    demarches = [DemarcheFactory(auteur=c, lignes=dict.fromkeys(dettes, Decimal(60))) for c in conjoints]

    with fenetre("demarches_demarche"):
        issues = en_meme_temps(*[partial(depart.payer, d, empreinte_vue=empreinte(d)) for d in demarches])

    assert Paiement.objects.count() == 1
    assert sum(isinstance(issue, depart.RecapitulatifPerime) for issue in issues) == 2
    assert all(dette.disponible == 40 for dette in Dette.objects.with_disponible())


def test_la_meme_notification_huit_fois_a_la_fois_n_agit_qu_une_fois():
    paiement = PaiementFactory()

    with fenetre("paiements_paiement"):
        issues = en_meme_temps(*[lambda: dire(paiement, "AUTHORISED")] * 8)

    paiement.refresh_from_db()
    assert issues == [None] * 8
    assert paiement.statut == Statut.ACCEPTE
    assert paiement.etapes.filter(geste="accepter").count() == 1
    assert paiement.messages.filter(sort="NEUF").count() == 1


def test_une_reference_inconnue_huit_fois_a_la_fois_fait_une_anomalie():
    paiement = PaiementFactory()

    with fenetre("paiements_transactionpayzen", "INSERT"):
        issues = en_meme_temps(*[lambda: dire(paiement, "AUTHORISED", reference="P-INCONNUE")] * 8)

    assert issues == [None] * 8
    assert TransactionPayzen.objects.get().paiement is None
    assert Anomalie.objects.get().genre == Anomalie.Genre.REFERENCE_INCONNUE


def test_accord_et_refus_au_meme_instant_donnent_un_accord():
    paiement = PaiementFactory()

    with fenetre("paiements_paiement"):
        en_meme_temps(
            lambda: dire(paiement, "AUTHORISED"),
            lambda: dire(paiement, "REFUSED", uuid="a" * 32),
            lambda: dire(paiement, "ABANDONED", uuid=""),
        )

    paiement.refresh_from_db()
    assert paiement.statut == Statut.ACCEPTE


def test_quatre_workers_imputent_chaque_paiement_une_fois():
    paiements = [PaiementFactory(verifie=True) for _ in range(12)]

    with fenetre("paiements_paiement"):
        issues = en_meme_temps(imputer_un_lot, *[lambda: en_second(imputer_un_lot)] * 3)

    assert not [issue for issue in issues if isinstance(issue, Exception)]
    while imputer_un_lot():
        pass
    assert Imputation.objects.count() == len(paiements)
    assert all(dette.solde == 780 for dette in Dette.objects.all())


def test_imputation_et_reprise_de_la_banque_ne_se_bloquent_pas():
    paiements = [PaiementFactory(impute=True), PaiementFactory(verifie=True)]

    with fenetre("dettes_dette"):
        issues = en_meme_temps(lambda: dire(paiements[0], "CANCELLED"), imputer_un_lot)

    assert not [issue for issue in issues if isinstance(issue, OperationalError)]
    assert {p.statut for p in Paiement.objects.all()} == {Statut.REJETE, Statut.IMPUTE}


def test_deux_conjoints_notifies_ensemble_restent_au_centime():
    dette = DetteFactory(montant_initial=Decimal(100))
    conjoints = [UtilisateurFactory(allocataire=dette.allocataire, identifiant=nom) for nom in ("un", "deux")]
    paiements = [
        PaiementFactory(demarche=DemarcheFactory(auteur=c, lignes={dette: Decimal("33.33")}), verifie=True)
        for c in conjoints
    ]

    with fenetre("dettes_dette"):
        en_meme_temps(imputer_un_lot, lambda: en_second(imputer_un_lot))
    imputer_un_lot()

    dette.refresh_from_db()
    assert dette.solde == Decimal("33.34")
    assert Imputation.objects.filter(paiement__in=paiements).count() == 2


@pytest.fixture
def rien_a_la_plateforme():
    """La plateforme ne connaît aucun paiement : `Order/Get` répond PSP_010."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as serveur:
        corps = {"status": "ERROR", "mode": "TEST", "answer": {"errorCode": "PSP_010"}}
        serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", json=corps)
        yield serveur


def renoncer(paiement):
    return reponse.repondre(Paiement.objects.get(pk=paiement.pk), paye=False)


@pytest.mark.parametrize("abandon_d_abord", [True, False])
def test_abandonner_pendant_que_la_notification_arrive(rien_a_la_plateforme, abandon_d_abord):
    """L'argent pris compte toujours ; ce que la plateforme taisait avant la notification ne prouve plus rien."""
    paiement = PaiementFactory()
    gestes = [lambda: renoncer(paiement), lambda: dire(paiement, "AUTHORISED")]
    premier, second = gestes if abandon_d_abord else reversed(gestes)

    with fenetre("paiements_paiement"):
        issues = en_meme_temps(premier, lambda: en_second(second))

    paiement.refresh_from_db()
    assert not [issue for issue in issues if isinstance(issue, Exception)]
    assert paiement.statut == Statut.ACCEPTE
    assert paiement.demarche.etat == "ENREGISTREE"


def test_une_notification_venue_pendant_que_l_on_lit_empeche_d_abandonner(rien_a_la_plateforme):
    paiement = PaiementFactory()
    lecture = interroger.lire_la_plateforme(paiement)
    dire(paiement, "WAITING_AUTHORISATION")

    interroger.conclure(paiement.pk, lecture, renonce=True)

    paiement.refresh_from_db()
    assert paiement.statut == Statut.EN_ATTENTE


def test_abandonner_quatre_fois_a_la_fois_n_abandonne_qu_une_fois(rien_a_la_plateforme):
    paiement = PaiementFactory()

    with fenetre("paiements_paiement"):
        issues = en_meme_temps(*[lambda: renoncer(paiement)] * 4)

    assert {issue.statut for issue in issues} == {Statut.ABANDONNE}
    assert paiement.etapes.filter(geste="abandonner").count() == 1


def test_abandonner_dans_un_onglet_et_recommencer_dans_l_autre(rien_a_la_plateforme):
    """On ne recommence pas ce qui n'est pas encore abandonné, et jamais deux paiements n'engagent les mêmes euros."""
    paiement = PaiementFactory(montant=Decimal(900))

    with fenetre("paiements_paiement"):
        _, suite = en_meme_temps(lambda: renoncer(paiement), lambda: en_second(lambda: recommencer(paiement.demarche)))

    assert isinstance(suite, RecommencementImpossible)
    assert Dette.objects.with_disponible().get().disponible == 900
