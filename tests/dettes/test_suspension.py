"""Une Caf suspendue : on le dit, avec le retour prévu, et l'on ne propose pas ce qui serait refusé."""

from datetime import date

import pytest
from django.urls import reverse

from comptes.models import Caf
from tests.factories import AllocataireFactory, CafFactory, DetteFactory, UtilisateurFactory


@pytest.fixture(params=["comptes:mon_compte", "dettes:liste", "dettes:detail"])
def lire(request, db, client):
    """Une page de l'allocataire qui doit à une Caf suspendue."""
    caf = CafFactory(suspendue=True)
    utilisateur = UtilisateurFactory(allocataire=AllocataireFactory(caf=caf))
    dette = DetteFactory(allocataire=utilisateur.allocataire)
    client.force_login(utilisateur)
    adresse = reverse(request.param, args=[dette.reference] if request.param == "dettes:detail" else [])
    return lambda: " ".join(client.get(adresse).text.replace("\u00a0", " ").split())


def test_on_dit_pourquoi_et_comment_payer_autrement(lire):
    page = lire()

    assert "Maintenance de nos serveurs." in page
    assert "La date du retour n’est pas encore connue." in page
    assert "payer autrement" in page


def test_on_dit_le_retour_prevu(lire):
    Caf.objects.update(retour_prevu_le=date(2026, 12, 1))

    assert "Retour prévu le 1er décembre 2026." in lire()


def test_on_ne_propose_pas_de_rembourser_en_ligne(lire):
    assert reverse("demarches:commencer") not in lire()
    Caf.objects.update(ouverte=True)
    assert reverse("demarches:commencer") in lire()
