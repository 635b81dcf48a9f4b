"""Le menu montre où l'on est, et nulle part ailleurs : ce que l'œil voit en gras, un lecteur d'écran le dit."""

import pytest
from django.urls import reverse

from tests.factories import PaiementFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("nom", "allumee"),
    [
        ("comptes:mon_compte", "Mon compte"),
        ("dettes:liste", "Mes dettes"),
        ("suivi:liste", "Mes démarches"),
        ("suivi:detail", "Mes démarches"),
        ("usersessions_list", None),
        ("account_logout", None),
    ],
)
def test_le_menu_n_allume_que_la_rubrique_ou_l_on_est(client, nom, allumee):
    paiement = PaiementFactory()
    client.force_login(paiement.demarche.auteur)
    adresse = reverse(nom, args=[paiement.reference] if nom == "suivi:detail" else [])

    menu = client.get(adresse).content.decode().partition('<nav class="navigation"')[2].partition("</nav>")[0]

    liens = [lien for lien in menu.split("<a ")[1:] if "aria-current" in lien]
    assert [lien.partition(">")[2].partition("<")[0] for lien in liens] == ([allumee] if allumee else [])
