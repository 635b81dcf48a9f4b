"""Payer de nouveau les mêmes dettes : le récapitulatif le dit avant, et le bouton aussi."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from demarches.models import Demarche
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
DE_PLUS = "Payer 15,50\u00a0€ de plus"


@pytest.fixture
def dettes(personne):
    return DetteFactory.create_batch(2, allocataire=personne.allocataire)


@pytest.fixture
def payer(personne):
    def ouvrir(dette, auteur=personne, **traits):
        return PaiementFactory(demarche=DemarcheFactory(auteur=auteur, lignes={dette: Decimal("15.50")}), **traits)

    return ouvrir


@pytest.fixture
def lire(voir, personne, dettes):
    """Le récapitulatif de 15,50 € sur la première dette."""

    def ouvrir():
        demarche = Demarche.objects.brouillons().filter(auteur=personne).first() or DemarcheFactory(
            auteur=personne, lignes={dettes[0]: Decimal("15.50")}
        )
        return voir("recapitulatif", demarche).content.decode()

    return ouvrir


@pytest.mark.parametrize("trait", ["accepte", "impute"])
def test_ce_qui_vient_d_etre_paye_sur_ces_dettes_se_lit_avant_de_payer(lire, payer, dettes, trait, time_machine):
    time_machine.move_to("2026-11-28 04:36:00+00:00", tick=False)
    payer(dettes[0], **{trait: True})

    page = lire()

    assert "Vous avez déjà payé 15,50\u00a0€ sur ces dettes le 28 novembre à 05:36." in page
    assert DE_PLUS in page
    assert page.count("Vous avez effectué un paiement") == 0


def test_ce_que_l_autre_compte_a_paye_se_lit_aussi(lire, payer, personne, dettes):
    conjoint = UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint")
    payer(dettes[0], auteur=conjoint, accepte=True)

    page = lire()

    assert "15,50\u00a0€ ont déjà été payés sur ces dettes le" in page
    assert "depuis l’autre compte de votre dossier" in page
    assert DE_PLUS in page


def test_ce_qui_attend_la_banque_se_lit_avec_sa_question(lire, payer, dettes):
    payer(dettes[0])

    page = lire()

    assert "15,50\u00a0€ sur ces dettes sont réservés pour la demande commencée le" in page
    assert "Avez-vous terminé le paiement" in page
    assert DE_PLUS in page


def test_un_paiement_sur_une_autre_dette_est_en_route_sans_etre_de_plus(lire, payer, dettes):
    payer(dettes[1], accepte=True)

    page = lire()

    assert "Vous avez effectué un paiement de 15,50\u00a0€" in page
    assert DE_PLUS not in page


@pytest.mark.parametrize("fin", ["refuse", "expire"])
def test_ce_qui_n_a_pas_abouti_ne_compte_pas(lire, payer, dettes, fin):
    payer(dettes[0], **{fin: True})

    assert DE_PLUS not in lire()


def test_une_semaine_apres_on_n_en_parle_plus(lire, payer, dettes, time_machine):
    payer(dettes[0], impute=True)

    time_machine.move_to(timezone.now() + timedelta(days=8))

    assert DE_PLUS not in lire()
