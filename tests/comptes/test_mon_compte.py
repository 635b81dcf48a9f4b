"""L'accueil de l'allocataire : ce qu'il reste, ce qui est en route, ce qu'il a demandé."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from comptes.models import Utilisateur
from tests.connexion import entrer_en_agent
from tests.factories import (
    AgentFactory,
    AllocataireFactory,
    CafFactory,
    DemarcheFactory,
    DetteFactory,
    PaiementFactory,
    UtilisateurFactory,
)

pytestmark = pytest.mark.django_db
ADRESSE = "/mon-compte/"


@pytest.fixture
def moi(client: Client) -> Utilisateur:
    utilisateur = UtilisateurFactory()
    client.force_login(utilisateur)
    return utilisateur


def lire(client: Client) -> str:
    return client.get(ADRESSE).content.decode()


def test_le_reste_est_la_somme_de_ce_qui_se_paie_ici(client: Client, moi: Utilisateur) -> None:
    DetteFactory(allocataire=moi.allocataire, montant_initial=Decimal("900.00"), deja_repris=Decimal("100.00"))
    DetteFactory(allocataire=moi.allocataire, montant_initial=Decimal("84.12"), en_recours=True)
    DetteFactory(allocataire=moi.allocataire, montant_initial=Decimal("500.00"), transmise=True)
    DetteFactory()

    html = lire(client)

    assert "884,12\u00a0€" in html
    assert "2 dettes." in html


def test_sans_dette_la_page_le_dit(client: Client, moi: Utilisateur) -> None:
    html = lire(client)

    assert "Vous n’avez rien à rembourser ici." in html
    assert "Vous n’avez pas encore fait de demande" in html


def test_une_dette_transmise_est_dite_quand_rien_ne_se_paie_ici(client: Client, moi: Utilisateur) -> None:
    DetteFactory(allocataire=moi.allocataire, transmise=True)

    assert "Rien à payer sur ce site. Une dette se paie au département." in lire(client)


@pytest.mark.parametrize(
    ("trait", "phrase"),
    [
        ({}, "attend la réponse de votre banque"),
        ({"accepte": True}, "Vos dettes seront mises à jour lorsque la Caf aura pris en compte votre demande."),
    ],
)
def test_un_paiement_en_route_est_dit_en_tete(client: Client, trait: dict[str, bool], phrase: str) -> None:
    paiement = PaiementFactory(**trait)
    client.force_login(paiement.demarche.auteur)

    html = lire(client)

    assert phrase in html
    assert html.count("120,00\u00a0€") == 2
    assert html.count(f'href="{reverse("suivi:detail", args=[paiement.demarche.reference])}"') == 2


def test_un_paiement_pris_en_compte_n_est_plus_en_route(client: Client) -> None:
    client.force_login(PaiementFactory(impute=True).demarche.auteur)

    html = lire(client)

    assert "Suivre cette démarche" not in html
    assert "Prise en compte" in html or "prise en compte" in html


def test_on_ne_voit_ni_la_saisie_ni_les_dossiers_des_autres(client: Client, moi: Utilisateur) -> None:
    conjoint = UtilisateurFactory(allocataire=moi.allocataire, identifiant="conjoint")
    saisie = DemarcheFactory(auteur=conjoint)
    etrangere = PaiementFactory().demarche
    la_mienne = DemarcheFactory(auteur=moi)

    html = lire(client)

    assert la_mienne.reference in html
    assert saisie.reference not in html
    assert etrangere.reference not in html


def test_un_dossier_clos_et_un_service_suspendu_sont_dits(client: Client) -> None:
    caf = CafFactory(suspendue=True)
    client.force_login(UtilisateurFactory(allocataire=AllocataireFactory(caf=caf, radie=True)))

    html = lire(client)

    assert "Votre dossier est clos. Vous pouvez toujours consulter et rembourser vos dettes." in html
    assert caf.message_suspension in html


@pytest.mark.parametrize("combien", [1, 10])
def test_le_nombre_de_requetes_ne_depend_pas_du_dossier(
    client: Client, moi: Utilisateur, combien: int, django_assert_num_queries
) -> None:
    for _ in range(combien):
        DetteFactory(allocataire=moi.allocataire)
        PaiementFactory(
            accepte=True,
            demarche=DemarcheFactory(auteur=moi, lignes={DetteFactory(allocataire=moi.allocataire): Decimal(120)}),
        )

    with django_assert_num_queries(
        6
    ):  # session, compte et dossier, dettes, lesquels sont en route, en route, démarches
        client.get(ADRESSE)


def test_un_visiteur_doit_entrer_un_agent_va_a_son_bureau_un_autre_est_refuse(client: Client) -> None:
    assert client.get(ADRESSE).url.startswith("/connexion/")

    entrer_en_agent(client, AgentFactory().utilisateur)
    assert client.get(ADRESSE).url == "/agents/"

    client.force_login(UtilisateurFactory(allocataire=None, identifiant="ni-l-un-ni-l-autre"))
    assert client.get(ADRESSE).status_code == 403


def test_la_page_se_lit_et_ne_s_ecrit_pas(client: Client, moi: Utilisateur) -> None:
    assert client.post(ADRESSE).status_code == 405
    assert "no-store" in client.get(ADRESSE)["Cache-Control"]
