from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from demarches.etats import Etat
from demarches.models import Demarche
from dettes.models import Dette, Mouvement
from paiements.imputation.imputer import imputer_un_lot
from paiements.models import Anomalie, Paiement
from paiements.statuts import Statut
from paiements.verification.interroger import reserver
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def personne():
    return UtilisateurFactory()


def solder(dette, reste=Decimal(0), situation=Dette.Situation.SOLDEE):
    """La Caf a repris ce qui restait, sauf `reste`."""
    Mouvement.objects.create(
        dette=dette, genre=Mouvement.Genre.AJUSTEMENT, montant=reste - dette.solde, origine="livraison"
    )
    Dette.objects.filter(pk=dette.pk).update(situation=situation)


def test_les_dettes_choisies_font_loi_au_centime(personne):
    ancienne = DetteFactory(allocataire=personne.allocataire, notifiee_le=date(2020, 1, 1))
    recente = DetteFactory(allocataire=personne.allocataire, notifiee_le=date(2026, 1, 1))
    demarche = DemarcheFactory(auteur=personne, lignes={recente: Decimal("100.01"), ancienne: Decimal("19.99")})

    paiement = PaiementFactory(demarche=demarche, impute=True)

    assert {i.dette: i.montant for i in paiement.imputations.all()} == {
        recente: Decimal("100.01"),
        ancienne: Decimal("19.99"),
    }
    recente.refresh_from_db()
    assert recente.solde == Decimal("799.99")
    assert paiement.demarche.etat == Etat.PRISE_EN_COMPTE


def test_la_verification_peut_se_retenir_le_temps_de_la_voir(settings, time_machine):
    settings.VERIFIER_APRES = timedelta(minutes=1)
    paiement = PaiementFactory(accepte=True)
    assert (paiement.demarche.etat, list(reserver(10))) == (Etat.ENREGISTREE, [])

    time_machine.move_to(timezone.now() + timedelta(minutes=1))

    assert list(reserver(10)) == [paiement.pk]


def test_un_montant_global_se_repartit_a_l_imputation_plus_ancienne_d_abord(personne):
    ancienne = DetteFactory(
        allocataire=personne.allocataire, notifiee_le=date(2020, 1, 1), montant_initial=Decimal(50)
    )
    recente = DetteFactory(allocataire=personne.allocataire, notifiee_le=date(2026, 1, 1))
    demarche = DemarcheFactory(
        auteur=personne, mode=Demarche.Mode.GLOBAL, lignes={ancienne: Decimal(50), recente: Decimal(70)}
    )
    paiement = PaiementFactory(demarche=demarche, verifie=True)
    solder(ancienne, reste=Decimal(20), situation=Dette.Situation.EN_COURS)

    imputer_un_lot()

    parts = {i.dette: i.montant for i in paiement.imputations.all()}
    assert parts == {ancienne: Decimal(20), recente: Decimal(100)}


@pytest.mark.parametrize("situation", [Dette.Situation.TRANSMISE, Dette.Situation.ANNULEE])
def test_une_dette_qui_ne_se_paie_plus_ici_ne_recoit_rien(personne, situation):
    dette = DetteFactory(allocataire=personne.allocataire)
    demarche = DemarcheFactory(auteur=personne, lignes={dette: Decimal(120)})
    paiement = PaiementFactory(demarche=demarche, verifie=True)
    Dette.objects.filter(pk=dette.pk).update(situation=situation)

    imputer_un_lot()

    paiement.refresh_from_db()
    assert (paiement.anomalies.get().genre, paiement.a_placer) == (Anomalie.Genre.RELIQUAT, Decimal(120))
    assert not paiement.imputations.exists()


def test_ce_qui_ne_tient_plus_devient_un_reliquat_jamais_un_solde_negatif(personne):
    dette = DetteFactory(allocataire=personne.allocataire)
    demarche = DemarcheFactory(auteur=personne, lignes={dette: Decimal(120)})
    paiement = PaiementFactory(demarche=demarche, verifie=True)
    solder(dette, reste=Decimal("19.50"), situation=Dette.Situation.EN_COURS)

    imputer_un_lot()

    dette.refresh_from_db()
    paiement.refresh_from_db()
    assert dette.solde == 0
    assert paiement.statut == Statut.IMPUTE
    assert (paiement.anomalies.get().genre, paiement.a_placer) == (Anomalie.Genre.RELIQUAT, Decimal("100.50"))


def test_les_lignes_choisies_ne_se_redistribuent_jamais(personne):
    choisie = DetteFactory(allocataire=personne.allocataire)
    autre = DetteFactory(allocataire=personne.allocataire)
    paiement = PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes={choisie: Decimal(120)}), verifie=True)
    solder(choisie)

    imputer_un_lot()

    autre.refresh_from_db()
    paiement.refresh_from_db()
    assert autre.solde == autre.montant_initial
    assert paiement.a_placer == Decimal(120)


def test_imputer_deux_fois_ne_fait_rien_de_plus(personne):
    paiement = PaiementFactory(impute=True)

    encore = imputer_un_lot()

    assert encore == 0
    assert paiement.imputations.count() == 1


def test_un_lot_ne_demande_pas_plus_a_la_base_qu_un_paiement(django_assert_num_queries):
    PaiementFactory(verifie=True)
    with CaptureQueriesContext(connection) as pour_un:
        imputer_un_lot()
    for _ in range(5):
        PaiementFactory(verifie=True)

    with django_assert_num_queries(len(pour_un)):
        assert imputer_un_lot() == 5


def test_un_lot_impute_plusieurs_paiements():
    paiements = [PaiementFactory(verifie=True) for _ in range(3)]

    combien = imputer_un_lot()

    assert combien == 3
    assert Paiement.objects.filter(statut=Statut.IMPUTE).count() == len(paiements)


@pytest.mark.parametrize(("mode", "parts"), [("AFFECTE", [400, 100]), ("GLOBAL", [100, 400])])
def test_deux_paiements_d_un_dossier_dans_un_lot_se_partagent_ce_qui_reste(personne, mode, parts):
    """Un montant global ne prend pas la place que l'autre a retenue ; l'autre lit ensuite ce qui reste."""
    dette = DetteFactory(allocataire=personne.allocataire)
    paiements = []
    for _ in range(2):
        demarche = DemarcheFactory(auteur=personne, mode=mode, lignes={dette: Decimal(400)})
        paiements.append(PaiementFactory(demarche=demarche, verifie=True))
    solder(dette, reste=Decimal(500), situation=Dette.Situation.EN_COURS)

    assert imputer_un_lot() == len(paiements)

    dette.refresh_from_db()
    assert dette.solde == 0
    assert [p.imputations.get().montant for p in paiements] == parts
    assert sorted(p.anomalies.count() for p in paiements) == [0, 1]
