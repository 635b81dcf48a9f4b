"""À la feuille du jour, le motif qu'un agent a tapé ne se perd pas : session finie, faute ou refus."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from paiements.models import JourClos
from tests.connexion import donner_le_code
from tests.factories import MOT_DE_PASSE, CafFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hier(time_machine):
    """Le jour à clore ; un essai qui commence avant minuit finit le même jour."""
    CafFactory()
    time_machine.move_to(timezone.now(), tick=False)
    return (timezone.localdate() - timedelta(days=1)).isoformat()


@pytest.fixture
def feuille(hier):
    return reverse("feuille:montrer", args=["661", hier])


@pytest.fixture
def clore(client, hier):
    """Presse « Clore ce jour à mon nom »."""
    return lambda motif, **champs: client.post(
        reverse("feuille:clore", args=["661", hier]), {"motif": motif, **champs}
    )


def test_une_session_finie_ramene_a_la_feuille_avec_le_motif(client, entrer, clore, feuille):
    agent = entrer("COMPTABLE")
    client.cookies.pop(settings.SESSION_COOKIE_NAME)

    connexion = clore("relu avec le relevé", pour=agent.pk).url
    page_de_connexion = client.get(connexion).content.decode()
    client.post(connexion, {"login": agent.identifiant, "password": MOT_DE_PASSE})
    reponses = (donner_le_code(client, decalage) for decalage in (0, 1, -1, 2))
    arrivee = next(reponse.url for reponse in reponses if reponse.status_code == 302)
    page = client.get(arrivee).content.decode()

    assert arrivee == feuille
    assert "Ce que vous veniez d’écrire est gardé" in page_de_connexion
    assert "Rien n’a été clos." in page
    assert 'value="relu avec le relevé"' in page
    assert not JourClos.objects.exists()


def test_un_autre_agent_ne_lit_pas_le_motif_garde(client, entrer, clore, feuille):
    premier = entrer("COMPTABLE")
    client.cookies.pop(settings.SESSION_COOKIE_NAME)
    clore("relu avec le relevé", pour=premier.pk)

    entrer("COMPTABLE")

    assert "relu avec le relevé" not in client.get(feuille).content.decode()


def test_recharger_apres_la_cloture_ramene_a_la_feuille(client, entrer, hier, feuille):
    entrer("COMPTABLE")

    assert client.get(reverse("feuille:clore", args=["661", hier])).url == feuille
    assert not JourClos.objects.exists()


def test_la_page_dit_pour_qui_l_on_tape(client, entrer, feuille):
    agent = entrer("COMPTABLE")

    assert f'name="pour" value="{agent.pk}"' in client.get(feuille).content.decode()


def test_un_motif_trop_long_revient_avec_sa_faute(client, entrer, clore, feuille):
    entrer("COMPTABLE")

    reponse = clore("x" * 250)
    page = client.get(feuille).content.decode()

    assert reponse.url == feuille
    assert "Rien n&#x27;a été clos. Motif :" in page
    assert "x" * 250 in page


def test_un_motif_refuse_revient_et_le_jour_clos_l_oublie(client, entrer, clore, feuille, hier):
    entrer("COMPTABLE")
    aujourd_hui = timezone.localdate().isoformat()
    client.post(reverse("feuille:clore", args=["661", aujourd_hui]), {"motif": "trop tôt"})
    gardes = client.session["frappes"]
    clore("x" * 250)

    clore("vu ce matin")

    assert gardes[reverse("feuille:montrer", args=["661", aujourd_hui])]["saisie"] == {"motif": "trop tôt"}
    assert "x" * 250 not in client.get(feuille).content.decode()
    assert JourClos.objects.get().motif == "vu ce matin"
