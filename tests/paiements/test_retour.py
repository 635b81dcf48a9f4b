from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from demarches.services import RecommencementImpossible, recommencer
from paiements.models import Paiement, Ticket
from tests.connexion import entrer_en_agent
from tests.factories import AgentFactory, PaiementFactory, UtilisateurFactory, demander, dire

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
    assert "La réponse tarde" in plus_tard.content.decode()
    assert "ne payez pas une deuxième fois" in plus_tard.content.decode()


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
    entrer_en_agent(client, AgentFactory().utilisateur)

    assert client.get(reverse("paiements:retour", args=[paiement.reference])).status_code == 302


@pytest.mark.parametrize("trait", ["accepte", "refuse"])
def test_le_retour_ne_fait_que_lire(client, trait):
    paiement = PaiementFactory(**{trait: True})
    client.force_login(paiement.demarche.auteur)

    with connection.execute_wrapper(refuser_les_ecritures):
        reponse = client.get(reverse("paiements:retour", args=[paiement.reference]))

    assert reponse.status_code == 200


def test_qui_revient_sans_nouvelle_fait_interroger_payzen_aussitot_et_une_fois(revenir):
    """La notification s'est perdue : rien n'est cru du navigateur, mais personne n'attend vingt-cinq minutes."""
    paiement = PaiementFactory()

    revenir(paiement)
    paiement.refresh_from_db()
    premier = paiement.prochain_controle_le
    revenir(paiement)
    paiement.refresh_from_db()

    assert premier <= timezone.now()
    assert (paiement.prochain_controle_le, paiement.statut) == (premier, "EN_ATTENTE")


def refuser_les_ecritures(execute, sql, params, many, context):
    assert sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE")), sql
    return execute(sql, params, many, context)


@pytest.fixture
def retenu():
    """Un paiement refusé, dont la banque tient pourtant un débit plus petit : un agent l'a en main."""
    paiement = PaiementFactory(refuse=True)
    dire(paiement, "AUTHORISED", uuid="d" * 32, montant=Decimal("6.00"))
    paiement.refresh_from_db()
    assert (paiement.statut, paiement.retenu) == ("REFUSE", 6)
    return paiement


def test_a_qui_un_debit_est_retenu_on_ne_dit_pas_qu_il_n_y_en_a_pas(client, revenir, retenu):
    pages = [
        revenir(retenu).content.decode(),
        client.get(reverse("suivi:detail", args=[retenu.demarche.reference])).content.decode(),
    ]

    for page in pages:
        assert "Ne payez pas de nouveau" in page
        assert "n’a pas été débitée" not in page
        assert "Recommencer" not in page


def test_un_refus_garde_son_mot_meme_avec_un_debit_retenu(revenir, retenu):
    assert "<h1>Votre demande de paiement n’a pas pu être prise en compte.</h1>" in revenir(retenu).content.decode()


def test_un_refus_ne_jure_pas_que_rien_n_a_ete_debite(revenir):
    page = " ".join(revenir(PaiementFactory(refuse=True)).content.decode().split())

    assert "À notre connaissance, votre carte n’a pas été débitée" in page


def test_un_debit_d_un_autre_montant_n_est_plus_attendu(revenir):
    paiement = PaiementFactory()
    dire(paiement, "AUTHORISED", montant=Decimal("6.00"))

    reponse = revenir(paiement)

    page = reponse.content.decode()
    assert "Refresh" not in reponse
    assert "La banque annonce un débit de 6,00\u00a0€, que nous vérifions" in page
    assert "Nous attendons" not in page
    assert "Ne payez pas de nouveau" in page


@pytest.mark.parametrize(
    ("etat", "phrase"),
    [
        ("A_ENVOYER", "Nous envoyons votre ticket à"),
        ("ENVOYE", "Votre ticket est envoyé à"),
        ("IMPOSSIBLE", "Nous n’avons pas pu envoyer votre ticket"),
    ],
)
def test_le_ticket_n_est_dit_envoye_qu_une_fois_parti(revenir, etat, phrase):
    paiement = PaiementFactory(demarche=demander(Decimal(120), courriel="ines@exemple.fr"), accepte=True)
    Ticket.objects.update(etat=etat, envoye_le=timezone.now() if etat == "ENVOYE" else None)

    assert phrase in revenir(paiement).content.decode()


def test_on_ne_recommence_pas_tant_qu_un_debit_est_retenu(retenu):
    with pytest.raises(RecommencementImpossible):
        recommencer(retenu.demarche)


@pytest.mark.parametrize("statut", ["CANCELLED", "CAPTURE_FAILED"])
def test_un_paiement_annule_apres_coup_mene_a_son_suivi(revenir, statut):
    paiement = PaiementFactory(impute=True)
    dire(paiement, statut)

    reponse = revenir(paiement)

    assert reponse.url == reverse("suivi:detail", args=[paiement.demarche.reference])
