"""Ce qui est tapé n'est jamais perdu : ni par « Retour », ni par une faute, ni par une session qui finit."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from demarches.models import Demarche
from socle import frappe
from tests.factories import DemarcheFactory, DetteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
CARTE = "4111 1111 1111 1111"


@pytest.fixture
def dettes(personne):
    return DetteFactory.create_batch(2, allocataire=personne.allocataire)


@pytest.fixture
def demarche(personne, dettes):
    """Un brouillon aux montants, rien d'enregistré."""
    return DemarcheFactory(auteur=personne, etape=2)


def saisir(dette, montant, **autres):
    return {"mode": "AFFECTE", f"dette_{dette.pk}": montant} | autres


def lire(reponse, dette):
    return reponse.context["page"].affecte[f"dette_{dette.pk}"].value()


def test_toute_reponse_a_un_envoi_est_une_redirection(envoyer, demarche, dettes):
    for faire in ("continuer", "calculer", "tout", "ajuster", "retour", "abandonner"):
        assert envoyer("montants", demarche, **saisir(dettes[0], "douze"), faire=faire).status_code == 302


def test_retour_garde_les_montants_meme_illisibles(voir, envoyer, demarche, dettes):
    reponse = envoyer("montants", demarche, **saisir(dettes[0], "douze"), faire="retour")

    assert reponse["Location"] == reverse("demarches:informations", args=[demarche.reference])
    assert lire(voir("montants", demarche), dettes[0]) == "douze"


def test_une_faute_puis_une_autre_page_garde_les_montants(voir, envoyer, demarche, dettes):
    envoyer("montants", demarche, **saisir(dettes[0], "9,999"))
    voir("informations", demarche)

    assert lire(voir("montants", demarche), dettes[0]) == "9,999"


def test_renoncer_a_abandonner_garde_les_montants(voir, envoyer, demarche, dettes):
    reponse = envoyer("montants", demarche, **saisir(dettes[0], "4,44"), faire="abandonner")

    assert reponse["Location"] == reverse("demarches:abandonner", args=[demarche.reference])
    assert lire(voir("montants", demarche), dettes[0]) == "4,44"


def test_abandonner_efface_ce_qui_etait_tape(connecte, envoyer, demarche, dettes):
    envoyer("montants", demarche, **saisir(dettes[0], "4,44"), faire="retour")

    envoyer("abandonner", demarche)

    assert connecte.session[frappe.CLE] == {}


def test_une_session_qui_finit_garde_ce_qu_on_envoyait(client, connecte, envoyer, voir, personne, demarche, dettes):
    client.logout()

    reponse = envoyer("montants", demarche, **saisir(dettes[0], "4,44", pour=str(personne.pk)))
    client.force_login(personne)

    assert reponse["Location"].startswith("/connexion/?next=")
    assert lire(voir("montants", demarche), dettes[0]) == "4,44"


def test_une_autre_personne_ne_voit_pas_ce_qui_etait_tape(client, connecte, personne, dettes):
    client.logout()
    saisie = {"courriel": "ines@exemple.fr", "etape": "1", "pour": str(personne.pk)}
    client.post(reverse("demarches:commencer"), saisie)

    conjoint = UtilisateurFactory(allocataire=personne.allocataire, identifiant="conjoint")
    client.force_login(conjoint)
    vue_par_le_conjoint = client.get(reverse("demarches:commencer")).content.decode()
    client.force_login(personne)

    assert "ines@exemple.fr" not in vue_par_le_conjoint


def test_l_adresse_tapee_revient_apres_la_session(client, connecte, personne, dettes):
    client.logout()
    client.post(
        reverse("demarches:commencer"), {"courriel": "ines@exemple.fr", "etape": "1", "pour": str(personne.pk)}
    )
    client.force_login(personne)

    assert "ines@exemple.fr" in client.get(reverse("demarches:commencer")).content.decode()


def test_un_numero_de_carte_n_est_jamais_garde(connecte, envoyer, voir, demarche, dettes):
    envoyer("montants", demarche, **saisir(dettes[0], CARTE))

    assert "4111" not in str(connecte.session[frappe.CLE])
    assert not re.search("4111 ?1111", str(dict(connecte.session))), "le reste porte des empreintes, qui ont des 4111"
    page = voir("montants", demarche).content.decode()
    assert "n’écrivez pas de numéro de carte ici" in page
    assert "4111" not in page


def test_ce_qui_est_enregistre_n_attend_plus(connecte, envoyer, demarche, dettes):
    envoyer("montants", demarche, **saisir(dettes[0], "douze"))

    envoyer("montants", demarche, **saisir(dettes[0], "12"))

    assert connecte.session[frappe.CLE] == {}
    assert Demarche.objects.get().montant == Decimal(12)
