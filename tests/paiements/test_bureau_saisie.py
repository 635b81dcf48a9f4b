"""Au bureau, ce qu'un agent a tapé ne se perd pas : session finie, faute ou refus."""

import pytest
from django.conf import settings
from django.urls import reverse

from paiements.models import DemandeRestitution
from tests.connexion import donner_le_code, entrer
from tests.factories import MOT_DE_PASSE, PaiementFactory, UtilisateurFactory
from tests.paiements.bureau import fiche, geste, rembourser

pytestmark = pytest.mark.django_db


def entrer_de_nouveau(client, utilisateur, connexion):
    client.post(connexion, {"login": utilisateur.identifiant, "password": MOT_DE_PASSE})
    assert any(donner_le_code(client, decalage).status_code == 302 for decalage in (0, 1, -1, 2))


def test_une_session_finie_ramene_a_la_fiche_avec_ce_qui_etait_tape(client, entrer):
    paiement = PaiementFactory(impute=True)
    agent = entrer()
    client.cookies.pop(settings.SESSION_COOKIE_NAME)

    connexion = client.post(geste(paiement, "restituer"), {"motif": "payé deux fois", "pour": agent.pk}).url
    page_de_connexion = client.get(connexion).content.decode()
    entrer_de_nouveau(client, agent, connexion)
    page = client.get(fiche(paiement)).content.decode()

    assert f"next={fiche(paiement)}" in connexion
    assert "vous le retrouverez sur la même fiche" in page_de_connexion
    assert "Rien n’a encore été fait." in page
    assert 'value="payé deux fois"' in page
    assert not DemandeRestitution.objects.exists()


def test_un_autre_agent_ne_lit_pas_ce_qui_etait_tape(client, entrer):
    paiement = PaiementFactory(impute=True)
    premier = entrer()
    client.cookies.pop(settings.SESSION_COOKIE_NAME)
    client.post(geste(paiement, "restituer"), {"motif": "payé deux fois", "pour": premier.pk})

    entrer()

    assert "payé deux fois" not in client.get(fiche(paiement)).content.decode()


def test_recharger_apres_un_geste_ramene_a_la_fiche(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer()

    assert client.get(geste(paiement, "restituer")).url == fiche(paiement)
    assert not DemandeRestitution.objects.exists()


def test_une_faute_ne_vide_pas_le_formulaire(client, entrer):
    paiement = PaiementFactory(impute=True)
    entrer()

    page = client.post(geste(paiement, "restituer"), {"motif": "x" * 250}, follow=True).content.decode()

    assert "Rien n&#x27;a été fait" in page
    assert "x" * 250 in page


def test_un_allocataire_qui_envoie_un_geste_est_renvoye(client):
    paiement = PaiementFactory(impute=True)
    entrer(client, UtilisateurFactory().identifiant)

    client.post(geste(paiement, "restituer"), {"motif": "moi"})

    assert not DemandeRestitution.objects.exists()
    assert client.get(reverse("bureau:recherche")).status_code == 302


@pytest.mark.parametrize("saisie", ["70", "70,00", "70.00", "70,00 €", "70,00\xa0€", " 70 euros "])
def test_un_montant_se_tape_comme_il_s_affiche(client, entrer, plateforme, saisie):
    paiement = PaiementFactory(impute=True)
    rembourser(paiement)
    plateforme(paiement, "AUTHORISED")
    dette = paiement.imputations.get().dette
    entrer()

    client.post(geste(paiement.anomalies.get(), "reprendre"), {f"part_{dette.pk}": saisie, "motif": "vu"})

    dette.refresh_from_db()
    assert dette.solde == 850
