"""La journée d'un coup d'œil : taux, refus, délais, courbe ; chaque chiffre mène à ses lignes."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from comptes.models import Utilisateur
from paiements.bureau.jour import ecrire_duree
from paiements.models import Paiement
from tests.connexion import entrer_en_agent
from tests.factories import MOT_DE_PASSE, CafFactory, PaiementFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def heure_arretee(time_machine):
    """Un essai qui commence avant minuit finit le même jour."""
    time_machine.move_to(timezone.now(), tick=False)


@pytest.fixture
def lire(client):
    return lambda: client.get(reverse("admin:index")).content.decode()


def test_le_taux_et_les_refus_du_jour_se_lisent(lire, entrer):
    PaiementFactory.create_batch(2, impute=True)
    PaiementFactory(refuse=True)
    PaiementFactory(expire=True)
    PaiementFactory()
    entrer()

    page = lire()

    assert "<strong>50 %</strong> de <a" in page
    for mot in (">4 finis</a>", ">1 à la banque</a>"):
        assert mot in page
    for mot in (">1 refusé</a>", ">0 abandonné</a>", ">1 expiré</a>"):
        assert mot in page
    assert re.search(r">médiane [0-9]+ s, 95 % en moins de [0-9]+ s</a>", page)


def test_chaque_chiffre_mene_a_ses_lignes(client, lire, entrer):
    refuse = PaiementFactory(refuse=True)
    impute = PaiementFactory(impute=True)
    entrer()
    adresses = re.findall(r'href="([^"]*cree_le__gte=[^"&]*&amp;statut__in=[^"]*)"', lire())

    pages = {adresse: client.get(adresse.replace("&amp;", "&")).content.decode() for adresse in adresses}

    assert len(pages) == 7
    for adresse, page in pages.items():
        assert (refuse.reference in page) == ("REFUSE" in adresse)
        assert (impute.reference in page) == ("IMPUTE" in adresse)


def test_la_courbe_a_un_baton_par_jour_et_son_tableau(lire, entrer):
    PaiementFactory(impute=True)
    entrer()

    page = lire()

    assert page.count('<rect class="demandes"') == 30
    assert page.count('height="120"') == 2  # aujourd'hui, demandés et acceptés
    assert "120,00\xa0€</td></tr>" in page


def test_sans_rien_la_page_reste_calme(lire, entrer):
    entrer()

    page = lire()

    assert "Aucun paiement fini pour l’instant" in page
    assert "rien d’imputé aujourd’hui" in page


def test_rien_d_une_autre_caf_n_est_compte(lire, entrer):
    PaiementFactory(refuse=True)
    entrer(cafs=[CafFactory(code="751", nom="Caf de Paris", boutique="75100001")])

    assert ">0 refusé</a>" in lire()


def test_un_operateur_de_tout_le_pays_ne_lit_pas_trente_jours_de_tout(client, lire):
    for rang in range(12):
        CafFactory(code=f"{rang:03}", boutique="")
    entrer_en_agent(client, Utilisateur.objects.create_superuser("operateur", MOT_DE_PASSE))

    assert "Trente jours" not in lire()
    assert not Paiement.objects.exists()


@pytest.mark.parametrize(
    ("secondes", "ecrit"), [(0, "0 s"), (8.4, "8 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (-3, "0 s")]
)
def test_une_duree_se_lit(secondes, ecrit):
    assert ecrire_duree(timedelta(seconds=secondes)) == ecrit
