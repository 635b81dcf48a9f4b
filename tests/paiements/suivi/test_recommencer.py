"""Recommencer une démarche sans suite, une fois, et ce qu'on en lit."""

from decimal import Decimal

import pytest
from django.urls import reverse

from demarches.models import Demarche
from tests.factories import PaiementFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db

LISTE = "/mon-compte/demarches/"


def test_recommencer_mene_au_recapitulatif_deja_rempli(connecte, envoyer, payer):
    reponse = envoyer("recommencer", payer(refuse=True).demarche)

    page = connecte.get(reponse["Location"]).content.decode()
    assert "Payer 120,00\u00a0€" in page
    assert "ines@exemple.fr" in page


def test_recommencer_dit_que_les_montants_ont_baisse(connecte, envoyer, payer, dette):
    refusee = payer(refuse=True).demarche
    dette.mouvements.create(genre="RETENUE", montant=Decimal("-850"), origine="livraison")

    reponse = envoyer("recommencer", refusee)

    page = connecte.get(reponse["Location"]).content.decode()
    assert "nous les avons baissés" in page
    assert "Payer 50,00\u00a0€" in page


def test_recommencer_ne_se_fait_pas_par_get(voir, payer):
    demarche = payer(refuse=True).demarche

    # On y revient en GET après s'être reconnecté : la démarche se relit, rien ne s'ouvre.
    assert voir("recommencer", demarche)["Location"] == f"{LISTE}{demarche.reference}/"
    assert not Demarche.objects.brouillons().exists()


def test_recommencer_ce_qui_est_en_route_ramene_au_suivi(envoyer, payer):
    demarche = payer(accepte=True).demarche

    assert envoyer("recommencer", demarche)["Location"] == f"{LISTE}{demarche.reference}/"
    assert not Demarche.objects.brouillons().exists()


def test_recommencer_une_dette_soldee_depuis_le_dit(connecte, envoyer, payer, dette):
    refusee = payer(refuse=True).demarche
    dette.mouvements.create(genre="REMISE", montant=Decimal("-900"), origine="livraison")

    arrivee = connecte.get(envoyer("recommencer", refusee).url)

    assert "Vous n’avez rien à rembourser ici" in arrivee.content.decode()


def test_une_demarche_recommencee_mene_a_la_nouvelle_et_ne_se_recommence_plus(connecte, voir, envoyer, payer):
    ancienne = payer(refuse=True)
    envoyer("recommencer", ancienne.demarche)
    nouvelle = Demarche.objects.brouillons().get()

    pages = [
        voir("detail", ancienne.demarche).content.decode(),
        connecte.get(reverse("paiements:retour", args=[ancienne.reference])).content.decode(),
    ]

    for page in pages:
        assert "Vous avez recommencé cette demande" in page
        assert f'href="{LISTE}{nouvelle.reference}/"' in page
        assert "/recommencer/" not in page


def test_recommencer_de_nouveau_mene_a_ce_qui_est_deja_recommence(connecte, envoyer, payer):
    ancienne = payer(refuse=True).demarche
    envoyer("recommencer", ancienne)
    nouvelle = Demarche.objects.brouillons().get()

    en_saisie = envoyer("recommencer", ancienne)["Location"]
    PaiementFactory(demarche=nouvelle, accepte=True)
    payee = envoyer("recommencer", ancienne)["Location"]

    assert en_saisie == reverse("demarches:recapitulatif", args=[nouvelle.reference])
    assert payee == f"{LISTE}{nouvelle.reference}/"
    assert not Demarche.objects.brouillons().exists()


def test_le_conjoint_lit_que_c_est_recommence_sans_voir_la_saisie(client, envoyer, payer, personne):
    ancienne = payer(refuse=True).demarche
    envoyer("recommencer", ancienne)
    nouvelle = Demarche.objects.brouillons().get()
    client.force_login(UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint"))

    en_saisie = client.get(f"{LISTE}{ancienne.reference}/").content.decode()
    PaiementFactory(demarche=nouvelle)
    partie = client.get(f"{LISTE}{ancienne.reference}/").content.decode()

    assert nouvelle.reference not in en_saisie
    assert "Cette demande a été recommencée" in partie
    assert nouvelle.reference in partie
