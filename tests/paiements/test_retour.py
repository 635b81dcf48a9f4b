import pytest
from django.db import connection
from django.urls import reverse

from paiements.models import Paiement
from tests.factories import AgentFactory, PaiementFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def revenir(client):
    def aller(paiement, parametres=""):
        client.force_login(paiement.demarche.auteur)
        return client.get(reverse("paiements:retour", args=[paiement.reference]) + parametres)

    return aller


@pytest.mark.parametrize(
    ("trait", "titre"),
    [
        ({}, "Nous attendons la réponse de votre banque."),
        ({"accepte": True}, "Votre demande de paiement a été enregistrée avec succès."),
        ({"impute": True}, "Votre demande de paiement a été enregistrée avec succès."),
        ({"refuse": True}, "Votre demande de paiement n’a pas pu être prise en compte."),
        ({"expire": True}, "Votre demande de paiement n’a pas été réalisée."),
    ],
)
def test_chaque_fin_a_sa_page(revenir, trait, titre):
    paiement = PaiementFactory(**trait)

    page = revenir(paiement).content.decode()

    assert f"<h1>{titre}</h1>" in page


def test_la_page_d_attente_se_rafraichit_sans_javascript_puis_conseille(revenir):
    paiement = PaiementFactory()

    au_debut = revenir(paiement)
    plus_tard = revenir(paiement, "?essai=30")

    assert au_debut["Refresh"] == "4;url=?essai=1"
    assert "Refresh" not in plus_tard
    assert "Ne payez pas une deuxième fois" in plus_tard.content.decode()


@pytest.mark.parametrize("essai", ["-1", "abc", "²", "9" * 5000])
def test_un_essai_farfelu_ne_casse_rien(revenir, essai):
    assert revenir(PaiementFactory(), f"?essai={essai}").status_code == 200


def test_un_retour_falsifie_ne_montre_et_ne_change_rien(revenir):
    paiement = PaiementFactory()

    page = revenir(paiement, "?vads_trans_status=AUTHORISED&vads_amount=1&signature=x").content.decode()

    assert "Nous attendons la réponse" in page
    assert Paiement.objects.get().statut == "EN_ATTENTE"


def test_le_paiement_d_un_autre_n_existe_pas(client):
    paiement = PaiementFactory(accepte=True)
    client.force_login(UtilisateurFactory())

    adresses = [reverse(f"paiements:{nom}", args=[paiement.reference]) for nom in ("retour", "ticket")]

    assert [client.get(adresse).status_code for adresse in adresses] == [404, 404]


def test_sans_session_on_se_reconnecte_puis_on_revient(client):
    adresse = reverse("paiements:retour", args=[PaiementFactory().reference])

    assert client.get(adresse)["Location"] == f"{reverse('account_login')}?next={adresse}"


def test_un_agent_est_renvoye_vers_son_bureau(client):
    paiement = PaiementFactory()
    client.force_login(AgentFactory().utilisateur)

    assert client.get(reverse("paiements:retour", args=[paiement.reference])).status_code == 302


@pytest.mark.parametrize("trait", [{}, {"accepte": True}, {"refuse": True}])
def test_le_retour_ne_fait_que_lire(client, trait):
    paiement = PaiementFactory(**trait)
    client.force_login(paiement.demarche.auteur)

    with connection.execute_wrapper(refuser_les_ecritures):
        reponse = client.get(reverse("paiements:retour", args=[paiement.reference]))

    assert reponse.status_code == 200


def refuser_les_ecritures(execute, sql, params, many, context):
    assert sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE")), sql
    return execute(sql, params, many, context)
