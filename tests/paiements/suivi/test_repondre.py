"""Quitter la page de la banque : dire si l'on a payé, et lire ce que PayZen répond."""

from decimal import Decimal

import pytest
import requests
import responses
from django.conf import settings
from django.urls import reverse

from paiements.models import Paiement
from paiements.statuts import Statut
from tests.factories import DemarcheFactory, DetteFactory, PaiementFactory, UtilisateurFactory, dire

pytestmark = pytest.mark.django_db
QUESTION = "Avez-vous terminé le paiement"


@pytest.fixture
def paiement(personne):
    """120 € à la banque, sur une dette qui n'a rien d'autre."""
    dette = DetteFactory(allocataire=personne.allocataire, montant_initial=Decimal(120))
    return PaiementFactory(demarche=DemarcheFactory(auteur=personne, lignes={dette: Decimal(120)}))


@pytest.fixture
def payzen():
    """Ce que répond `Order/Get` : `payzen({"status": 500})` ; rien n'y est connu, à défaut."""
    with responses.RequestsMock() as serveur:

        def repondre(reponse=None):
            introuvable = {"json": {"status": "ERROR", "mode": "TEST", "answer": {"errorCode": "PSP_010"}}}
            serveur.post(f"{settings.PAYZEN_URL_API}Order/Get", **(reponse or introuvable))

        yield repondre


@pytest.fixture
def dire_si_paye(connecte, paiement):
    def envoyer(paye):
        adresse = reverse("suivi:repondre", args=[paiement.reference])
        return connecte.post(adresse, {"paye": paye}, follow=True).content.decode()

    return envoyer


def test_la_question_est_partout_ou_l_on_attend(connecte, paiement):
    adresses = [
        reverse("dettes:liste"),
        "/mon-compte/",
        reverse("demarches:commencer"),
        reverse("suivi:detail", args=[paiement.reference]),
        reverse("paiements:retour", args=[paiement.reference]),
        reverse("paiements:retour", args=[paiement.reference]) + "?essai=30",
    ]

    for adresse in adresses:
        page = connecte.get(adresse).content.decode()
        assert QUESTION in page, adresse
        assert reverse("suivi:repondre", args=[paiement.reference]) in page, adresse


def test_rien_ne_parle_d_un_paiement_qui_n_a_pas_eu_lieu(connecte, paiement):
    for adresse in (reverse("dettes:liste"), reverse("demarches:commencer")):
        page = connecte.get(adresse).content.decode()
        assert "Vos dettes baisseront" not in page
        assert "en cours de vérification" not in page
        assert "paiement en cours" not in page
        assert "120,00\u00a0€ sont réservés pour la demande commencée le" in page


def test_qui_n_a_pas_paye_retrouve_ses_montants_et_peut_recommencer(dire_si_paye, payzen):
    payzen()

    page = dire_si_paye("non")

    assert "Votre demande de paiement n’a pas été réalisée." in page
    assert "PayZen ne connaît aucun paiement pour cette demande" in page
    assert "encore ouverte dans un autre onglet, fermez-la" in page
    assert "/recommencer/" in page


def test_abandonner_deux_fois_dit_la_meme_chose(dire_si_paye, payzen):
    payzen()

    premiere, deuxieme = dire_si_paye("non"), dire_si_paye("non")

    for page in (premiere, deuxieme):
        assert "Vos montants sont libérés" in page


def test_qui_a_paye_attend_sans_rien_liberer(dire_si_paye, payzen, paiement):
    payzen()

    page = dire_si_paye("oui")

    assert "PayZen ne nous annonce encore aucun paiement terminé" in page
    assert Paiement.objects.get().statut == Statut.EN_ATTENTE


@pytest.mark.parametrize("panne", [{"status": 500}, {"body": requests.ConnectTimeout()}])
def test_plateforme_en_panne_c_est_dit_et_rien_n_est_perdu(dire_si_paye, payzen, panne):
    payzen(panne)

    page = dire_si_paye("non")

    assert "ne répond pas en ce moment. Rien n’est changé, et rien n’est perdu" in page
    assert QUESTION in page
    assert Paiement.objects.get().statut == Statut.EN_ATTENTE


def test_dire_ne_pas_avoir_paye_ce_qui_l_est_mene_a_la_reussite(dire_si_paye, paiement):
    dire(paiement, "AUTHORISED")

    page = dire_si_paye("non")

    assert "Votre demande de paiement a été enregistrée avec succès." in page
    assert "votre banque a déjà accepté ce paiement" in page


def test_payer_dans_l_ancien_onglet_se_lit_a_la_reussite(connecte, dire_si_paye, payzen, paiement):
    payzen()
    dire_si_paye("non")

    dire(paiement, "AUTHORISED")

    for nom in ("paiements:retour", "suivi:detail"):
        page = connecte.get(reverse(nom, args=[paiement.reference])).content.decode()
        assert "Vous nous aviez dit ne pas avoir payé" in page
        assert "Il compte comme les autres" in page


def test_le_conjoint_suit_sans_repondre_a_la_place_de_l_autre(client, personne, paiement):
    client.force_login(UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint"))

    pages = [
        client.get(adresse).content.decode()
        for adresse in (reverse("dettes:liste"), f"/mon-compte/demarches/{paiement.reference}/")
    ]

    assert not any(QUESTION in page for page in pages)
    assert client.post(reverse("suivi:repondre", args=[paiement.reference])).status_code == 404


def test_interroger_payzen_est_borne(connecte, paiement, payzen):
    payzen()
    adresse = reverse("suivi:repondre", args=[paiement.reference])

    codes = [connecte.post(adresse, {"paye": "oui"}).status_code for _ in range(11)]

    assert codes == [302] * 10 + [429]
