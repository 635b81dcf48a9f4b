"""La retenue du foyer : une par mois, et ce qu'un paiement y change (CSS D553-4)."""

from datetime import date
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from dettes import retenue
from dettes.models import Dette
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def moi(client):
    utilisateur = UtilisateurFactory()
    client.force_login(utilisateur)
    return utilisateur


def devoir(moi, montant, retenue_mensuelle=None, courrier=date(2025, 9, 1), **champs):
    return DetteFactory(
        allocataire=moi.allocataire,
        montant_initial=Decimal(montant),
        retenue_mensuelle=Decimal(retenue_mensuelle) if retenue_mensuelle else None,
        notifiee_le=courrier,
        **champs,
    )


def calculer(moi, parts=None):
    dettes = Dette.objects.for_allocataire(moi.allocataire).payables().with_disponible().plus_anciennes_d_abord()
    return retenue.calculer(dettes, parts)


def lire(client, adresse):
    return " ".join(client.get(adresse).text.replace("\u00a0", " ").split())


def test_sans_retenue_il_n_y_a_rien_a_dire(moi):
    devoir(moi, "300")

    assert calculer(moi) is None


def test_dix_dettes_reprises_ne_font_qu_une_retenue_par_mois(moi):
    for _ in range(10):
        devoir(moi, "69.30", "99")

    assert calculer(moi) == retenue.Retenue(Decimal(99), mois=7, mois_apres=None)


def test_deux_montants_differents_donnent_celui_de_la_dette_la_plus_ancienne(moi):
    devoir(moi, "100", "56", courrier=date(2025, 1, 1))
    devoir(moi, "100", "99", courrier=date(2024, 1, 1))

    assert calculer(moi).montant == Decimal(99)


def test_une_dette_que_la_retenue_ne_reprend_pas_ne_compte_pas(moi):
    devoir(moi, "99", "99")
    devoir(moi, "5000")

    assert calculer(moi).mois == 1


def test_un_paiement_raccourcit_la_retenue_de_ce_qu_il_rembourse(moi):
    dette = devoir(moi, "693", "99")

    assert calculer(moi, {dette.pk: Decimal(300)}) == retenue.Retenue(Decimal(99), mois=7, mois_apres=4)


def test_un_paiement_sur_une_autre_dette_n_y_change_rien(moi):
    devoir(moi, "693", "99")
    autre = devoir(moi, "500")

    assert calculer(moi, {autre.pk: Decimal(500)}).mois_apres == 7


def test_ce_qui_est_deja_en_route_est_deja_deduit(moi):
    dette = devoir(moi, "693", "99")
    PaiementFactory(demarche=DemarcheFactory(auteur=moi, lignes={dette: Decimal(300)}))

    assert calculer(moi).mois == 4


def test_mes_dettes_disent_la_retenue_une_fois(client, moi):
    for _ in range(10):
        devoir(moi, "69.30", "99")

    page = lire(client, reverse("dettes:liste"))

    assert page.count("99,00 €") == 1
    assert "C’est une seule retenue par mois pour tout votre foyer" in page
    assert "À ce rythme, il reste 7 mois environ." in page


def test_la_page_d_une_dette_dit_ce_que_la_payer_changerait(client, moi):
    dette = devoir(moi, "300", "99", courrier=date(2024, 1, 1))
    devoir(moi, "393", "99")

    page = lire(client, reverse("dettes:detail", args=[dette.reference]))

    assert "Si vous payez toute cette dette ici, il resterait 4 mois au lieu de 7." in page


def test_la_seule_dette_reprise_une_fois_payee_il_ne_reste_rien_a_retenir(client, moi):
    dette = devoir(moi, "300", "99")

    page = lire(client, reverse("dettes:detail", args=[dette.reference]))

    assert "Si vous payez toute cette dette ici, elle n’aurait plus rien à reprendre." in page
    assert "prévenez votre Caf" in page


def test_une_dette_sans_retenue_n_en_parle_pas(client, moi):
    devoir(moi, "300", "99")
    autre = devoir(moi, "300")

    assert "La Caf retient" not in lire(client, reverse("dettes:detail", args=[autre.reference]))


def test_le_recapitulatif_dit_ce_que_le_paiement_choisi_change(client, moi):
    dette = devoir(moi, "693", "99")
    demarche = DemarcheFactory(auteur=moi, lignes={dette: Decimal(300)})

    page = lire(client, reverse("demarches:recapitulatif", args=[demarche.reference]))

    assert "Avec ce paiement, il resterait 4 mois au lieu de 7." in page


def test_en_anglais_un_mois_et_trois_mois_ne_s_ecrivent_pas_pareil():
    with translation.override("en"):
        page = render_to_string(
            "dettes/_retenue.html", {"retenue": retenue.Retenue(Decimal(50), mois=3, mois_apres=1)}
        )

    assert "about 3 months are left" in page
    assert "With this payment, 1 month would be left instead of 3." in page
