"""Le récit d'un paiement : ce qu'il conclut quand plusieurs choses attendent à la fois."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from dettes.models import Mouvement
from paiements import anomalies, reprise, restitution
from paiements.imputation import imputer_un_lot
from paiements.models import Anomalie, Ticket
from paiements.recit import raconter
from tests.factories import AgentFactory, PaiementFactory, dire

pytestmark = pytest.mark.django_db

Genre = Anomalie.Genre


def lire(paiement):
    """Le récit, et ce qu'il dit de la suite."""
    paiement.refresh_from_db()
    recit = "\n".join(raconter(paiement))
    return recit, recit.partition("quoi faire\n")[2]


@pytest.fixture
def remis():
    """Un paiement porté aux dettes et remis en banque."""
    paiement = PaiementFactory(impute=True)
    dire(paiement, "CAPTURED")
    return paiement


def test_rien_de_plus_ne_se_dit_que_si_rien_n_attend(remis):
    _, suite = lire(remis)

    assert suite == "  Porté aux dettes et remis en banque ; la banque en tient 120,00\xa0€. Rien de plus à faire."


def test_une_anomalie_ouverte_dit_pourquoi_combien_et_quoi_faire(remis):
    dire(remis, "AUTHORISED", uuid="d" * 32, montant=Decimal(70), trans_id="900002")

    _, suite = lire(remis)

    assert "Rien de plus" not in suite
    assert (
        "à traiter sous /agents/ : deux débits pour une démarche (un autre débit est déjà encaissé),"
        " argent retenu : 70,00\xa0€, annoncé par la banque : 70,00\xa0€. Rendre le deuxième débit." in suite
    )


def test_ce_que_la_banque_annonce_se_dit_meme_si_rien_n_est_retenu(remis):
    dire(remis, "CAPTURED", operation="CREDIT", uuid="c" * 32, montant=Decimal(20), trans_id="900001")

    recit, suite = lire(remis)

    assert "annoncé par la banque : 20,00\xa0€. La banque a rendu une part" in suite
    assert "la banque en tient 100,00\xa0€" in suite
    assert "argent retenu" not in recit


def test_apres_une_reprise_ce_que_la_banque_tient_est_juste(remis):
    dire(remis, "CAPTURED", operation="CREDIT", uuid="c" * 32, montant=Decimal(20), trans_id="900001")
    alerte = remis.anomalies.get()
    parts = {imputation.pk: part for imputation, part in reprise.proposer(alerte).items()}
    reprise.reprendre(alerte, parts, motif="vu", agent=AgentFactory().utilisateur)

    _, suite = lire(remis)

    assert "la banque en tient 100,00\xa0€. Rien de plus à faire." in suite


def test_un_reste_sans_dette_n_est_pas_rien(remis):
    paiement = PaiementFactory(verifie=True)
    Mouvement.objects.create(
        dette=paiement.demarche.lignes.get().dette, genre="AJUSTEMENT", montant=Decimal(-880), origine="livraison"
    )
    imputer_un_lot()
    dire(paiement, "CAPTURED")

    _, suite = lire(paiement)

    assert "Rien de plus" not in suite
    assert "argent retenu : 100,00\xa0€. Placer le reste sur une autre dette" in suite


def test_un_debit_d_un_autre_montant_n_attend_plus_la_banque():
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", montant=Decimal(70))

    _, suite = lire(paiement)

    assert "70,00\xa0€ débités à part : un agent décide." in suite
    assert "La réponse de la banque" not in suite


@pytest.mark.parametrize(
    ("refus", "dit"),
    [
        ("PSP_083", "restitution n° 1 refusée par PayZen : PSP_083"),
        ("arrêtée par agent-1 : vu au Back Office", "restitution n° 1 arrêtée par agent-1 : vu au Back Office"),
    ],
)
def test_une_restitution_sans_effet_dit_laquelle_et_pourquoi(remis, refus, dit):
    anomalies.ouvrir(Genre.RESTITUTION_REFUSEE, cle="1", constat={"refus": refus}, paiement=remis)

    recit, _ = lire(remis)

    assert dit in recit


def test_une_restitution_demandee_n_est_pas_rien(remis):
    restitution.demander(remis, motif="payé deux fois", agent=AgentFactory().utilisateur)

    _, suite = lire(remis)

    assert "Rien de plus" not in suite
    assert "un comptable l'approuve" in suite


@pytest.mark.parametrize(("essais", "dit"), [(1, "au 1er essai"), (2, "au 2e essai")])
def test_un_ticket_dit_a_quel_essai_il_est_parti(remis, essais, dit):
    Ticket.objects.create(paiement=remis, etat="ENVOYE", essais=essais, envoye_le=timezone.now())

    recit, _ = lire(remis)

    assert dit in recit


def test_aucun_montant_ne_s_ecrit_avec_un_point(remis):
    dire(remis, "CAPTURED", operation="CREDIT", uuid="c" * 32, montant=Decimal(20), trans_id="900001")
    remis.caf.seuil_controle = Decimal(500)
    remis.prochain_controle_le = timezone.now() + timedelta(days=1)

    recit, _ = lire(remis)

    assert not re.search(r"\d\.\d\d €", recit)
